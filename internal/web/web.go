// Package web is the HTTPS end of the control plane: the layers that every
// request passes, in this order from the outside.
//
//	request number, language, source ─ no cookie but the registered ─ panic stays in its request
//	─ security headers ─ cross-origin protection ─ rate limit ─ deadlines ─ access log ─ routes
//
// Routes are made by api, callback, console and app; this package knows none.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/web/cookie"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// Layers are what Handler wraps around the routes.
type Layers struct {
	Reader  request.Reader
	Limiter *Limiter
	// Visit tells who asks for a page, before it is served, and returns what notes
	// it in the access log afterwards; nil for nobody. It may be nil itself.
	Visit func(r *http.Request) (record func())
	// Writable refuses changes while the stores may not be written to; nil: never.
	Writable func(ctx context.Context) error
	// Unregistered is told of a cookie that was not let out. Nil panics, for tests.
	Unregistered func(r *http.Request, name string)
	Log          *slog.Logger
}

// Errors.
var (
	errCrossOrigin = errs.New(errs.Forbidden, "api.cross_origin")
	errRate        = errs.New(errs.Limited, "api.rate_limited")
	errInternal    = errors.New("handler panicked")
)

// Handler wraps routes into the layers.
func Handler(l Layers, routes http.Handler) http.Handler {
	h := routes
	if l.Visit != nil {
		h = l.visit(h)
	}
	if l.Writable != nil {
		h = l.writable(h)
	}
	h = patience(h)
	h = l.limit(h)
	h = l.crossOrigin(h)
	h = headers(h)
	h = l.recover(h)
	h = cookie.Guard(h, l.Unregistered)
	return l.Reader.Handler(h)
}

func (l Layers) visit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Who it is is asked first: the request itself may end the session.
		if record := l.Visit(r); record != nil {
			defer record()
		}
		next.ServeHTTP(w, r)
	})
}

func (l Layers) writable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if err := l.Writable(r.Context()); err != nil {
				problem.Write(w, r, l.Log, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (l Layers) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") && !l.Limiter.Allow(request.From(r.Context()).Source, time.Now()) {
			w.Header().Set("Retry-After", "10")
			problem.Write(w, r, l.Log, errRate)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// crossOrigin refuses changing requests that a browser sends for another
// site. Requests without browser headers pass: payment providers, programs.
func (l Layers) crossOrigin(next http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	// Some payment gateways send the browser back by POST; it changes nothing.
	p.AddInsecureBypassPattern("POST /pay/return/{attempt_no}")
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem.Write(w, r, l.Log, errCrossOrigin)
	}))
	return p.Handler(next)
}

// How long a client may take to send a body and to read an answer. An event
// stream lifts its own deadline.
const (
	bodyPatience   = 30 * time.Second
	answerPatience = 5 * time.Minute
)

// patience ends connections that send or read a byte now and then to hold
// what serves them.
func patience(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, now := http.NewResponseController(w), time.Now()
		// A connection that knows no deadline is a test's.
		_ = c.SetWriteDeadline(now.Add(answerPatience))
		if r.Body != nil && r.Body != http.NoBody {
			_ = c.SetReadDeadline(now.Add(bodyPatience))
		}
		next.ServeHTTP(w, r)
	})
}

// headers sets what holds for every answer. A page that needs a looser content
// policy (the console's style nonce) sets its own.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src "+origins()+"; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// origins are where a page may load from and report to: no beacon leaves to
// anybody else (clause LT-2.1).
func origins() string {
	if mutant.Off("LT-2.1") {
		return "*"
	}
	return "'self'"
}

func (l Layers) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			// The value of the panic may hold input; the stack does not.
			l.Log.Error("handler panicked", "request", request.From(r.Context()).Number, "stack", string(debug.Stack()))
			problem.Write(w, r, l.Log, errInternal)
		}()
		next.ServeHTTP(w, r)
	})
}

// Serve runs a server until ctx ends, then lets requests finish for ten
// seconds.
func Serve(ctx context.Context, s *http.Server, listen func() error) error {
	failed := make(chan error, 1)
	go func() { failed <- listen() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.Shutdown(stop); err != nil {
		return s.Close()
	}
	return <-failed
}
