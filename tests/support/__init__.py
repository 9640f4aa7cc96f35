"""What tests share: servers, processes, guards. No test lives here, and nothing of the product."""
