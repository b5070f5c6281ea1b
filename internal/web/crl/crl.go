// Package crl serves the revocation lists of SSL servers' CAs to whoever asks:
// firewalls, RADIUS servers and clients that the certificates point here.
//
// It is not part of the API and asks nobody who they are: a list names serial
// numbers and dates, no person.
package crl

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/web"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// Lists makes the list of a server.
type Lists interface {
	CRL(ctx context.Context, server string) (vpn.RevocationList, error)
}

// Requests that one source may send: a site behind one address fetches a list
// per server now and then.
const (
	requestsPerMinute = 120
	requestsAtOnce    = 60
)

// keep is how long others may keep a list before they ask again: a revocation
// is known everywhere after that time.
const keep = 10 * time.Minute

var (
	errNotFound = errs.New(errs.NotFound, "api.not_found")
	errRate     = errs.New(errs.Limited, "api.rate_limited")
)

// Serve registers GET /crl/{name}, where name is the server's id and ".crl".
func Serve(mux *http.ServeMux, lists Lists, now func() time.Time, log *slog.Logger) {
	limit := web.NewLimiter(requestsPerMinute, requestsAtOnce)
	mux.HandleFunc("GET /crl/{name}", func(w http.ResponseWriter, r *http.Request) {
		if !limit.Allow(request.From(r.Context()).Source, now()) {
			problem.Write(w, r, log, errRate)
			return
		}
		server, ok := strings.CutSuffix(r.PathValue("name"), ".crl")
		if !ok {
			problem.Write(w, r, log, errNotFound)
			return
		}
		list, err := lists.CRL(r.Context(), server)
		if err != nil {
			problem.Write(w, r, log, err)
			return
		}
		answer(w, r, list, now())
	})
}

// answer sends a list, or 304 to who has it.
func answer(w http.ResponseWriter, r *http.Request, list vpn.RevocationList, now time.Time) {
	age := max(min(keep, list.NextUpdate.Sub(now)), 0)
	h := w.Header()
	h.Set("Content-Type", "application/pkix-crl")
	h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(age.Seconds())))
	h.Set("Expires", now.Add(age).UTC().Format(http.TimeFormat))
	h.Set("ETag", fmt.Sprintf("%q", fmt.Sprint(list.Number)))
	http.ServeContent(w, r, "", list.ThisUpdate, bytes.NewReader(list.DER))
}
