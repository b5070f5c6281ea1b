// Package callback is what third parties and browsers that they send back to
// us ask for, outside of the API: payment notices and payment returns.
//
// A notice is answered in the provider's own words. A return proves nothing:
// its parameters are not even read; it leads to the order's page in the
// console, with the signed parameters gone from the address bar.
package callback

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/web"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// maxNotice is the largest notice that is read.
const maxNotice = 64 << 10

// Notices a source may send: generous, because providers send from few
// addresses.
const (
	noticesPerMinute = 600
	noticesAtOnce    = 200
)

// Payments registers /pay/notify/{token} and /pay/return/{attempt_no}.
func Payments(mux *http.ServeMux, s *payment.Service, log *slog.Logger) {
	h := payments{s, web.NewLimiter(noticesPerMinute, noticesAtOnce), log}
	mux.HandleFunc("GET /pay/notify/{token}", h.notify)
	mux.HandleFunc("POST /pay/notify/{token}", h.notify)
	mux.HandleFunc("GET /pay/return/{attempt_no}", h.back)
	mux.HandleFunc("POST /pay/return/{attempt_no}", h.back)
}

type payments struct {
	s     *payment.Service
	limit *web.Limiter
	log   *slog.Logger
}

var (
	errRate     = errs.New(errs.Limited, "api.rate_limited")
	errTooLarge = errs.New(errs.TooLarge, "api.too_large")
)

func (h payments) notify(w http.ResponseWriter, r *http.Request) {
	if !h.limit.Allow(request.From(r.Context()).Source, time.Now()) {
		problem.Write(w, r, h.log, errRate)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotice))
	if err != nil {
		problem.Write(w, r, h.log, errTooLarge)
		return
	}
	a, err := h.s.HandleNotify(r.Context(), r.PathValue("token"), payment.RawRequest{
		Method: r.Method, Query: r.URL.RawQuery,
		ContentType: r.Header.Get("Content-Type"), Headers: signatureHeaders(r.Header), Body: body,
	})
	if err != nil {
		problem.Write(w, r, h.log, err)
		return
	}
	w.Header().Set("Content-Type", a.ContentType)
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body) // the provider went away and comes again
}

// signatureHeaders are those that a notice's signature needs. One that comes
// twice says nothing.
func signatureHeaders(all http.Header) map[string]string {
	some := map[string]string{}
	for name, v := range all {
		if strings.HasPrefix(name, payment.SignatureHeaders) && len(v) == 1 {
			some[name] = v[0]
		}
	}
	return some
}

// back leads to the order's page, or to the wallet after a top-up. An unknown number leads to the list, so that
// nothing is learned from the answer.
func (h payments) back(w http.ResponseWriter, r *http.Request) {
	to := "/orders"
	id, err := h.s.Returned(r.Context(), r.PathValue("attempt_no"))
	if err == nil && id == "" {
		to = "/wallet"
	} else if err == nil {
		to += "/" + id
	} else if !errs.IsNotFound(err) {
		h.log.ErrorContext(r.Context(), "asking after a return", "error", err)
		if id != "" {
			to += "/" + id
		}
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}
