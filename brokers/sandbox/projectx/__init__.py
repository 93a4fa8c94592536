"""The ProjectX Gateway: REST and SignalR hubs as prop firms offer them, with the sandbox market behind."""
