package app

import "net/http"

// apiDocs leads to the interactive page of the API, which the console's build
// brings along. Its icons are data: images, which no other page may have.
func apiDocs(mux *http.ServeMux, console http.Handler) {
	mux.Handle("GET /api/docs", http.RedirectHandler("/api-docs/index.html", http.StatusSeeOther))
	mux.HandleFunc("GET /api-docs/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'")
		console.ServeHTTP(w, r)
	})
}
