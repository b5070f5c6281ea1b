// Package gwserver is the control end of gwlink: HTTP over a unix socket on
// one host, or over mutual TLS between hosts.
//
// It is not for people: nothing of it is under /api. A handler knows which node
// calls before it reads anything: on the socket because only the data plane's
// user may connect, over TLS because the node's public key is registered.
//
//	node ──▶ version known? ──▶ node known? ──▶ body small enough? ──▶ fleet or vpn
//	              426               403               413
//
// Invariants: an unknown node gets nothing; a node gets its own desired state
// and reports in its own name; a failure is a status with a code, never a text
// with something personal in it.
package gwserver

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

// Patience is how long a request for a newer desired state waits.
const Patience = 25 * time.Second

// Limits of bodies.
const (
	maxLogin  = 128 << 10
	maxReport = 16 << 20
)

// Fleet is what of the module fleet a node reaches.
type Fleet interface {
	Wait(ctx context.Context, node string, after uint64, patience time.Duration) (gwlink.Desired, error)
	Ingest(ctx context.Context, node string, r gwlink.Report) error
}

// VPN is what of the module vpn a node reaches.
type VPN interface {
	Login(ctx context.Context, node string, r gwlink.LoginRequest) (gwlink.LoginAnswer, error)
	CertifyServer(ctx context.Context, node string, r gwlink.CertificateRequest) (gwlink.CertificateAnswer, error)
	DeliverKey(ctx context.Context, node string, r gwlink.KeyRequest) (gwlink.KeyAnswer, error)
}

// Identify tells which node a request comes from. Any error refuses it.
type Identify func(*http.Request) (fleet.Node, error)

// Options are what Handler needs.
type Options struct {
	Fleet    Fleet
	VPN      VPN
	Identify Identify
	Log      *slog.Logger
	Logins   *metric.Counts // rounds of VPN logins by outcome; nil = not counted
}

type server struct{ Options }

// Handler serves the paths of gwlink.
func Handler(o Options) http.Handler {
	s := server{o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+gwlink.PathDesired, s.admit(s.desired))
	mux.HandleFunc("POST "+gwlink.PathCertificate, s.admit(s.certificate))
	mux.HandleFunc("POST "+gwlink.PathKey, s.admit(s.key))
	mux.HandleFunc("POST "+gwlink.PathLogin, s.admit(s.login))
	mux.HandleFunc("POST "+gwlink.PathReport, s.admit(s.report))
	return mux
}

// admit refuses versions that this build does not speak, and strangers.
func (s server) admit(next func(http.ResponseWriter, *http.Request, fleet.Node)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(gwlink.VersionHeader, strconv.Itoa(gwlink.Version))
		w.Header().Set("Cache-Control", "no-store")
		if r.Header.Get(gwlink.VersionHeader) != strconv.Itoa(gwlink.Version) {
			s.answer(w, http.StatusUpgradeRequired, failure{"gwlink.version_unknown"})
			return
		}
		node, err := s.Identify(r)
		if errs.KindOf(err) == errs.NotFound || errs.KindOf(err) == errs.Forbidden {
			s.answer(w, http.StatusForbidden, failure{"gwlink.node_unknown"})
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		next(w, r, node)
	}
}

type failure struct {
	Code string `json:"code"`
}

func (s server) desired(w http.ResponseWriter, r *http.Request, node fleet.Node) {
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 62)
	if err != nil {
		s.answer(w, http.StatusBadRequest, failure{"gwlink.malformed"})
		return
	}
	d, err := s.Fleet.Wait(r.Context(), node.ID, after, Patience)
	if errors.Is(err, fleet.ErrUnchanged) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, d)
}

func (s server) certificate(w http.ResponseWriter, r *http.Request, node fleet.Node) {
	var in gwlink.CertificateRequest
	if !s.read(w, r, maxLogin, &in) {
		return
	}
	out, err := s.VPN.CertifyServer(r.Context(), node.ID, in)
	s.reply(w, r, out, err)
}

func (s server) key(w http.ResponseWriter, r *http.Request, node fleet.Node) {
	var in gwlink.KeyRequest
	if !s.read(w, r, maxLogin, &in) {
		return
	}
	out, err := s.VPN.DeliverKey(r.Context(), node.ID, in)
	s.reply(w, r, out, err)
}

func (s server) login(w http.ResponseWriter, r *http.Request, node fleet.Node) {
	var in gwlink.LoginRequest
	if !s.read(w, r, maxLogin, &in) {
		return
	}
	out, err := s.VPN.Login(r.Context(), node.ID, in)
	if err != nil {
		s.Logins.Add("error")
	} else {
		s.Logins.Add(string(out.Outcome))
	}
	s.reply(w, r, out, err)
}

// report takes a node's word. A node that only knows its name may use it.
func (s server) report(w http.ResponseWriter, r *http.Request, node fleet.Node) {
	var in gwlink.Report
	if !s.read(w, r, maxReport, &in) {
		return
	}
	if in.Node == node.Name {
		in.Node = node.ID
	}
	if err := s.Fleet.Ingest(r.Context(), node.ID, in); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// read decodes a body of limited size, or answers what is wrong with it.
func (s server) read(w http.ResponseWriter, r *http.Request, limit int64, into any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit)).Decode(into)
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return true
	case errors.As(err, &large):
		s.answer(w, http.StatusRequestEntityTooLarge, failure{"gwlink.too_large"})
	default: // the decoder's text may quote the body: it goes nowhere
		s.answer(w, http.StatusBadRequest, failure{"gwlink.malformed"})
	}
	return false
}

func (s server) reply(w http.ResponseWriter, r *http.Request, out any, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, out)
}

// fail answers an error by its kind. What happened goes to the log only.
func (s server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch errs.KindOf(err) {
	case errs.Invalid:
		status = http.StatusBadRequest
	case errs.Unprocessable:
		status = http.StatusUnprocessableEntity
	case errs.NotFound:
		status = http.StatusNotFound
	case errs.Conflict:
		status = http.StatusConflict
	case errs.Unavailable:
		status = http.StatusServiceUnavailable
	}
	if r.Context().Err() == nil {
		s.Log.WarnContext(r.Context(), "answering a node", "op", r.URL.Path, "status", status, "error", err)
	}
	s.answer(w, status, failure{errs.CodeOf(err)})
}

func (s server) answer(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		s.Log.Error("encoding an answer to a node", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the node went away: it will ask again
}
