package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// ServeHost is the LAN host's web server: a greeting at /, size pseudo-random
// bytes at /bytes (the same on each call, so that a hash can be compared), and
// at POST /bytes the number of bytes received and their SHA-256.
func ServeHost(ctx context.Context, listen string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "This host is inside the demo VPC. You reached it through your VPN.")
	})
	mux.HandleFunc("GET /bytes", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", fmt.Sprint(Size))
		_, _ = io.CopyN(w, Bytes(), Size) // a client that goes away is fine
	})
	mux.HandleFunc("POST /bytes", func(w http.ResponseWriter, r *http.Request) {
		sum, n, err := Digest(http.MaxBytesReader(w, r.Body, 2*Size))
		if err != nil {
			http.Error(w, "reading failed", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%d %s\n", n, sum)
	})
	s := &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { <-ctx.Done(); _ = s.Close() }()
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Size of the demo download in bytes.
const Size = 100 << 20

// Bytes returns an endless stream that is the same each time.
func Bytes() io.Reader { return rand.NewChaCha8([32]byte{'s', 'k', 'y'}) }
