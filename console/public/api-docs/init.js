// The page tries operations as whoever is signed in to the console in this browser.
window.SwaggerUIBundle({
  url: '/api/v1/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // The validator of the original is a service on another origin.
  validatorUrl: null,
});
