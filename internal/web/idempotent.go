package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
)

// Idempotent answers a POST with an Idempotency-Key from the kept answer, if
// the same account has sent the same request within 24 hours. who tells the
// account; a request of nobody passes.
func Idempotent(s *idempotency.Store, who func(*http.Request) (account.Principal, error), log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost || key == "" {
			next.ServeHTTP(w, r)
			return
		}
		p, err := who(r)
		if err != nil {
			next.ServeHTTP(w, r) // the route itself refuses whom it must
			return
		}
		if len(key) > 100 {
			problem.Write(w, r, log, errs.New(errs.Invalid, "api.invalid_request"))
			return
		}
		once(w, r, s, string(p.Account)+" "+r.URL.Path, key, log, next)
	})
}

func once(w http.ResponseWriter, r *http.Request, s *idempotency.Store, scope, key string, log *slog.Logger, next http.Handler) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		problem.Write(w, r, log, errs.New(errs.TooLarge, "api.too_large"))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	scope = digest(scope)
	kept, err := s.Begin(r.Context(), scope, key, digest(string(body)))
	if err != nil {
		problem.Write(w, r, log, err)
		return
	}
	if kept != nil {
		w.Header().Set("Content-Type", kept.Type)
		w.Header().Set("Idempotency-Replayed", "true")
		w.WriteHeader(kept.Status)
		_, _ = w.Write(kept.Body) // the client went away: nobody to tell
		return
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusInternalServerError} // until the handler has returned
	defer func() { settle(context.WithoutCancel(r.Context()), s, scope, key, rec, log) }()
	next.ServeHTTP(rec, r.WithContext(idempotency.WithKey(r.Context(), key)))
	rec.returned()
}

// settle keeps what was done; what failed may be tried again.
func settle(ctx context.Context, s *idempotency.Store, scope, key string, rec *recorder, log *slog.Logger) {
	var err error
	// Secrets and sessions are never kept: their routes mark the answer private
	// or set a cookie.
	secret := strings.HasPrefix(rec.Header().Get("Cache-Control"), "private") || rec.Header().Get("Set-Cookie") != ""
	if rec.status < 400 && !secret {
		err = s.Complete(ctx, scope, key, idempotency.Answer{Status: rec.status, Type: rec.Header().Get("Content-Type"), Body: rec.body.Bytes()})
	} else {
		err = s.Release(ctx, scope, key)
	}
	if err != nil {
		log.ErrorContext(ctx, "settling an idempotency key", "error", err)
	}
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool // a status
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	r.status, r.wrote = status, true
	r.ResponseWriter.WriteHeader(status)
}

// returned notes that the handler came to its end: without a status of its own
// the answer is 200.
func (r *recorder) returned() {
	if !r.wrote {
		r.status = http.StatusOK
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	if !r.wrote {
		r.WriteHeader(http.StatusOK)
	}
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}
