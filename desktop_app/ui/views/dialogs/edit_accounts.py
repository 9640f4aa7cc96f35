"""Editing accounts: one with all its fields, or many at once; what is left empty stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QWidget

from common.domain.accounts import DriverName
from common.drivers import DRIVER_TITLES
from desktop_app.contract.accounts import AccountRow, EditAccounts
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.dialogs.base import Dialog
from desktop_app.ui.views.widgets.controls import label

_STAYS = "Leave as it is"


class EditAccountsDialog(Dialog):
    """Fields of one account, or those that make sense for many."""

    def __init__(self, theme: Theme, parent: QWidget, accounts: Sequence[AccountRow]) -> None:
        alone = accounts[0] if len(accounts) == 1 else None
        what = alone.username if alone else count_of(len(accounts), "account")
        super().__init__(theme, parent, f"Edit {what}", width=520)
        self._accounts = list(accounts)
        self._form = QFormLayout()
        self._form.setSpacing(10)
        self.add_tags = self._line("&Add tags", "summer, coast")
        self.remove_tags = self._line("&Remove tags", ", ".join(_shared_tags(accounts)))
        self.driver = QComboBox()
        self.driver.addItem(_STAYS, None)
        self.driver.addItem("Automatic", "automatic")
        for driver, name in DRIVER_TITLES.items():
            self.driver.addItem(name, driver.value)
        self._add("&Driver", self.driver)
        self.proxy = self._line("Pro&xy", "http://user:password@host:3128")
        self.no_proxy = QCheckBox("Use no proxy")
        self.no_proxy.setAccessibleName("Use no proxy")
        self.no_proxy.toggled.connect(self.proxy.setDisabled)
        self._form.addRow("", self.no_proxy)
        self.full_name = self._line("&Full name", alone.full_name if alone else "")
        self.password = self._line("&Password", "Saved" if alone and alone.has_password else "None")
        self.totp = self._line("T&OTP seed", "Saved" if alone and alone.has_totp else "None")
        for secret in (self.password, self.totp):
            secret.setEchoMode(QLineEdit.EchoMode.Password)
        if alone is None:
            for field in (self.full_name, self.password, self.totp):
                self._form.setRowVisible(field, False)
        self.body.addLayout(self._form)
        self.body.addWidget(label("A field that stays empty is not changed.", "faint"))
        self.body.addStretch(1)
        self.add_foot(f"Change {what}").clicked.connect(self.accept)

    def command(self) -> EditAccounts:
        """Return what the operator filled in."""
        driver = self.driver.currentData()
        return EditAccounts(
            ids=[account.id for account in self._accounts],
            add_tags=_words(self.add_tags),
            remove_tags=_words(self.remove_tags),
            driver=driver if driver in (None, "automatic") else DriverName(driver),
            proxy_url=self._proxy_url(),
            full_name=self.full_name.text().strip() or None,
            password=_secret(self.password),
            totp_seed=_secret(self.totp),
        )

    def _proxy_url(self) -> SecretStr | None:
        if self.no_proxy.isChecked():
            return SecretStr("")
        return _secret(self.proxy)

    def _line(self, text: str, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(hint)
        self._add(text, field)
        return field

    def _add(self, text: str, field: QWidget) -> None:
        name = label(text, "muted")
        name.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        name.setFixedWidth(110)
        name.setBuddy(field)
        field.setAccessibleName(text.replace("&", ""))
        self._form.addRow(name, field)


def _words(field: QLineEdit) -> list[str]:
    return [word.strip() for word in field.text().split(",") if word.strip()]


def _secret(field: QLineEdit) -> SecretStr | None:
    return SecretStr(field.text()) if field.text() else None


def _shared_tags(accounts: Sequence[AccountRow]) -> list[str]:
    shared = set(accounts[0].tags) if accounts else set()
    for account in accounts[1:]:
        shared &= set(account.tags)
    return sorted(shared)
