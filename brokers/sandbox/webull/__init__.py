"""The Webull sandbox: the OpenAPI of Webull US as its wire facts have it, over HTTP, gRPC and MQTT."""
