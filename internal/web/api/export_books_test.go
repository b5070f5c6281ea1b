package api

// Harmless is for tests.
var Harmless = harmless
