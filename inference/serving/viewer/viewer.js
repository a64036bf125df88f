// Starts Swagger UI with the service's OpenAPI document. `make viewer` writes the files swagger-ui*.
"use strict";

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null, // the default sends the document to another host
});
