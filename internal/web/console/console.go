// Package console serves the built web console: its files, and its one page
// for every path that is a place in it.
//
// It is not for data; the page asks the API. The sources are in console/ at
// the root of the repository, and `npm run build` there writes into dist,
// which is embedded. A program built without that step serves a page that says
// so.
//
// Invariants: every page carries a content security policy that names no
// origin but our own and a style nonce that is new with each answer; no script
// is inline; no cookie is set here; an absent file is 404 and never the page;
// policies are readable without scripts.
package console

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"html"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/webstore"
	"github.com/skybridge-cloud/skybridge/internal/web/cookie"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

//go:embed all:dist
var built embed.FS

// Options are what New needs. The zero value serves the console.
type Options struct {
	// FormTargets are origins, like "http://127.0.0.1:9001", that the payment
	// form may be sent to beside ours and any https one: a simulator in demo
	// mode.
	FormTargets []string
	// Policies lists the documents in force and Policy returns the HTML of
	// one, for readers without scripts. Nil: they are told to use the API.
	Policies func(ctx context.Context, lang i18n.Language) ([]Link, error)
	Policy   func(ctx context.Context, document, version string, lang i18n.Language) (Document, error)
}

// Link is a document's place and title.
type Link struct{ Document, Title string }

// Document is a policy as HTML that was made by us.
type Document struct{ Title, HTML string }

// Handler serves the console. It is safe for concurrent use.
type Handler struct {
	opt   Options
	files fs.FS
	page  []byte // nil: not built
	zip   zipper
}

// New returns the handler of the embedded console.
func New(o Options) *Handler {
	files, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	return over(files, o)
}

func over(files fs.FS, o Options) *Handler {
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		page = nil
	}
	return &Handler{opt: o, files: files, page: page}
}

// Built reports whether the program has a console inside.
func (h *Handler) Built() bool { return h.page != nil }

// ServeHTTP answers GET and HEAD of a file or of a place in the console.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name != "index.html" && path.Ext(name) != "" && !isPlace(name) || strings.HasPrefix(name, "assets/") {
		h.file(w, r, name)
		return
	}
	h.place(w, r, name)
}

// isPlace tells places whose last element has a dot, versions, from files.
func isPlace(name string) bool { return strings.HasPrefix(name, "policies/") }

// Names of built assets hold a hash of their content.
const forever = "public, max-age=31536000, immutable"

func (h *Handler) file(w http.ResponseWriter, r *http.Request, name string) {
	content, err := fs.ReadFile(h.files, name)
	if err != nil || path.Base(name) == ".keep" {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Type", contentTypes[path.Ext(name)])
	header.Set("Cache-Control", "public, max-age=3600")
	if strings.HasPrefix(name, "assets/") {
		header.Set("Cache-Control", forever)
	}
	h.zip.serve(w, r, name, content)
}

// The types of what the build writes; the operating system is not asked.
var contentTypes = map[string]string{
	"":       "application/octet-stream",
	".html":  "text/html; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".json":  "application/json",
	".woff2": "font/woff2",
}

// place answers with the page, whose script shows the place.
func (h *Handler) place(w http.ResponseWriter, r *http.Request, name string) {
	if !h.Built() {
		http.Error(w, i18n.Text(request.From(r.Context()).Language, "console.not_built", nil), http.StatusServiceUnavailable)
		return
	}
	nonce := rand.Text()
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", h.policy(nonce))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	page := h.fill(r, name, nonce)
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(page) // the browser went away: nobody to tell
}

// policy is the page's content security policy. A payment is a form that the
// browser sends to the payment gateway and that is redirected from there, so
// form-action cannot name one origin; loopback is for the demo's simulators.
func (h *Handler) policy(nonce string) string {
	forms := strings.Join(slices.Concat([]string{"'self'", "https:"}, h.opt.FormTargets), " ")
	origins := "'self'"
	if mutant.Off("LT-2.1") {
		origins = "*"
	}
	return "default-src " + origins + "; style-src 'self' 'nonce-" + nonce + "'; object-src 'none'; base-uri 'none'; " +
		"frame-ancestors 'none'; form-action " + forms
}

func (h *Handler) fill(r *http.Request, name, nonce string) []byte {
	lang := request.From(r.Context()).Language
	page := bytes.Replace(h.page, []byte(`name="csp-nonce" content=""`), []byte(`name="csp-nonce" content="`+nonce+`"`), 1)
	page = bytes.Replace(page, []byte(`lang="zh-CN"`), []byte(`lang="`+string(lang)+`"`), 1)
	page = bytes.Replace(page, []byte(`data-theme="auto"`), []byte(`data-theme="`+theme(r)+`"`), 1)
	plain := "<noscript>" + h.plain(r, name, lang) + "</noscript>"
	return bytes.Replace(page, []byte("<!--noscript-->"), []byte(plain), 1)
}

// theme is the registered preference, so that a dark page does not flash.
func theme(r *http.Request) string {
	for _, part := range strings.Split(cookie.Read(r, cookie.Prefs), ".") {
		switch part {
		case "theme-light":
			return "light"
		case "theme-dark":
			return "dark"
		}
	}
	return "auto"
}

// plain is what readers without scripts see: policies, and the way to them.
func (h *Handler) plain(r *http.Request, name string, lang i18n.Language) string {
	parts := strings.Split(name, "/")
	if name == "cookies" {
		return cookies(lang)
	}
	if parts[0] == "policies" && h.opt.Policy != nil {
		document, version, ok := named(parts)
		if !ok {
			return h.links(r, lang)
		}
		doc, err := h.opt.Policy(r.Context(), document, version, lang)
		if err == nil {
			return `<main class="paper policy"><h1>` + html.EscapeString(doc.Title) + "</h1>" + doc.HTML + "</main>"
		}
	}
	return `<main class="paper"><p>` + html.EscapeString(i18n.Text(lang, "console.needs_script", nil)) +
		`</p><p><a href="/policies">` + html.EscapeString(i18n.Text(lang, "console.policies", nil)) + "</a></p></main>"
}

// cookies is the registry of what is kept in browsers, as a table.
func cookies(lang i18n.Language) string {
	var b strings.Builder
	b.WriteString(`<main class="paper"><h1>Cookie</h1><table>`)
	for _, c := range webstore.Get().Cookies {
		b.WriteString("<tr><th>" + html.EscapeString(c.Name) + "</th><td>" + html.EscapeString(c.Purpose[string(lang)]) +
			"</td><td>" + html.EscapeString(c.Life[string(lang)]) + "</td></tr>")
	}
	b.WriteString("</table></main>")
	return b.String()
}

// named reads policies/{document} and policies/{document}/versions/{version}.
func named(parts []string) (document, version string, ok bool) {
	switch {
	case len(parts) == 2:
		return parts[1], "", true
	case len(parts) == 4 && parts[2] == "versions":
		return parts[1], parts[3], true
	}
	return "", "", false
}

func (h *Handler) links(r *http.Request, lang i18n.Language) string {
	var b strings.Builder
	b.WriteString(`<main class="paper"><h1>` + html.EscapeString(i18n.Text(lang, "console.policies", nil)) + "</h1><ul>")
	if h.opt.Policies != nil {
		all, err := h.opt.Policies(r.Context(), lang)
		if err != nil {
			all = nil // the page still loads; with scripts it shows the error
		}
		for _, l := range all {
			b.WriteString(`<li><a href="/policies/` + html.EscapeString(l.Document) + `">` + html.EscapeString(l.Title) + "</a></li>")
		}
	}
	b.WriteString("</ul></main>")
	return b.String()
}
