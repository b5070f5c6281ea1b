package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/web"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
	"github.com/skybridge-cloud/skybridge/internal/web/callback"
	"github.com/skybridge-cloud/skybridge/internal/web/console"
	"github.com/skybridge-cloud/skybridge/internal/web/crl"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// routes puts API, callbacks and console behind the layers that every request
// passes.
func routes(cfg config.Config, m *modules, s *stores, log *slog.Logger) (http.Handler, error) {
	mux := http.NewServeMux()
	a := api.New(api.Options{Mux: mux, Version: "1", Sessions: m.account, Users: m.vpn, Gate: m.consent, Log: log})
	m.resources(a, mux)
	if err := verifyFields(m.queue, a); err != nil {
		return nil, err
	}
	callback.Payments(mux, m.payment, log)
	crl.Serve(mux, m.vpn, clock.System{}.Now, log)
	m.downloads.Serve(mux, log)
	health(mux, s)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		problem.Write(w, r, log, errs.New(errs.NotFound, "api.not_found"))
	})
	pages := console.New(m.console(cfg))
	apiDocs(mux, pages)
	mux.Handle("/", pages)
	who := func(r *http.Request) (account.Principal, error) { return a.Admit(r, api.SignedIn) }
	return web.Handler(web.Layers{
		Reader:  request.Reader{Proxies: cfg.Console.Proxies},
		Limiter: web.NewLimiter(requestsPerMinute, requestsAtOnce),
		Visit:   m.visit(a),
		Log:     log,

		Writable:     m.residency.Fresh,
		Unregistered: m.cookieRefused(log),
	}, web.Idempotent(m.idempotency, who, log, mux)), nil
}

// Requests that one source may send to the API: docs/decisions/0002.
const (
	requestsPerMinute = 1200
	requestsAtOnce    = 400
)

// Links for requests that one source may make, open and use.
const (
	linksPerMinute = 6
	linksAtOnce    = 20
)

// resources registers every resource of the API.
func (m *modules) resources(a *api.API, mux *http.ServeMux) {
	now := clock.System{}.Now
	api.Accounts(a, m.account, m.consent, m.age)
	api.AgesOf(a, m.age, m.account)
	api.OptionalContacts(a, m.contact)
	api.StaffOf(a, m.account, m.audit)
	api.CorrectionsOf(a, m.account, m.privacy, m.realname)
	api.LoginSessions(a, m.account)
	api.Cookies(a)
	api.Policies(a, m.consent, m.account)
	api.TrustPages(a, m.trust())
	api.ConsentActs(a, m.consent)
	api.Notices(a, m.notify)
	api.Preferences(a, m.notify)
	api.RealName(a, m.realname)
	api.Audit(a, m.audit)
	api.DataSubjectRequests(a, m.privacy)
	api.ProofPacks(a, m.proof)
	api.Intake(a, m.privacy, web.NewLimiter(linksPerMinute, linksAtOnce), now)
	api.Erasures(a, m.erasure)
	api.Retention(a, m.privacy)
	api.Incidents(a, m.incident)
	api.Agreements(a, m.agreement)
	api.ExportCounters(a, m.residency)
	api.LegalOrders(a, m.legalorder)
	api.Successions(a, m.succession)
	api.Catalog(a, m.catalog)
	api.Orders(a, m.order)
	api.Refunds(a, m.payment)
	api.Reconciliations(a, m.payment)
	api.Payments(a, m.payment)
	api.Wallets(a, m.payment, m.ledger)
	api.Books(a, m.ledger)
	api.Tickets(a, m.ticket)
	api.TicketDesk(a, m.ticket, now)
	api.Invoices(a, m.invoice)
	api.VPNGateways(a, m.vpn, now)
	api.Releases(a, m.service)
	api.Services(a, m.service, now)
	api.SSLServers(a, m.vpn)
	api.SSLClients(a, m.vpn)
	api.Certificates(a, m.vpn, now)
	api.VPNSessions(a, m.vpn)
	api.VPNUsers(a, api.VPNUserRights{VPN: m.vpn, Privacy: m.privacy, Erasure: m.erasure, Audit: m.audit, Incident: m.incident})
	api.Quotas(a, m.vpn)
	api.StaffQuotas(a, m.vpn, m.account)
	api.GatewayNodes(a, m.fleet, now)
	api.Downloads(a, m.downloads)
}

// PrintOpenAPI writes the description of the API.
func PrintOpenAPI(out io.Writer) error {
	mux := http.NewServeMux()
	a := api.New(api.Options{Mux: mux, Version: "1", Log: slog.New(slog.DiscardHandler)})
	(&modules{}).resources(a, mux)
	text, err := a.OpenAPI()
	if err != nil {
		return err
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// cookieRefused notes a cookie that was taken off an answer: a mistake in this
// program, and a try at breaking clause LT-2.2.
func (m *modules) cookieRefused(log *slog.Logger) func(*http.Request, string) {
	return func(r *http.Request, name string) {
		ctx := context.WithoutCancel(r.Context())
		log.Error("a cookie is not registered and was not sent", "name", name, "request", request.From(ctx).Number)
		err := m.audit.Append(ctx, audit.Event{Type: "cookie.refused", Actor: audit.Actor{Class: "system"}, Detail: map[string]string{"name": name}})
		if err != nil {
			log.Error("noting a refused cookie", "error", err.Error())
		}
	}
}

// visit notes in the access log which page a signed-in person asked for:
// clause LT-1.3. Requests of nobody are in no log of persons.
func (m *modules) visit(a *api.API) func(*http.Request) (record func()) {
	return func(r *http.Request) func() {
		p, err := a.Admit(r, api.SignedIn)
		if err != nil {
			return nil
		}
		info := request.From(r.Context())
		return func() {
			m.account.RecordAccess(p.Subject, account.Source{IP: info.Source, UserAgent: info.UserAgent}, r.URL.Path)
		}
	}
}

// health answers supervisors and load balancers. It tells no detail.
func health(mux *http.ServeMux, s *stores) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if s.main.Ping(r.Context()) != nil || s.keys.Ping(r.Context()) != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
}

// console tells the console's server what it cannot know.
func (m *modules) console(cfg config.Config) console.Options {
	o := console.Options{
		Policies: func(ctx context.Context, lang i18n.Language) ([]console.Link, error) {
			all, err := m.consent.InForce(ctx)
			var links []console.Link
			for _, v := range all {
				links = append(links, console.Link{Document: v.Document, Title: v.Title[string(lang)]})
			}
			return links, err
		},
		Policy: func(ctx context.Context, document, version string, lang i18n.Language) (console.Document, error) {
			t, err := m.consent.Text(ctx, document, version, string(lang))
			return console.Document{Title: t.Title, HTML: t.HTML}, err
		},
	}
	if cfg.Demo.Enabled {
		o.FormTargets = []string{"http://" + cfg.Demo.Epay}
	}
	return o
}
