// Package api is the REST API under /api/v1, described by OpenAPI 3.1.
//
// One file per resource holds its wire types, the conversions and the
// handlers; a handler decodes, calls one use case, encodes. Wire types live
// nowhere else. Names are snake_case, times RFC 3339 UTC, money
// {"amount":"12.34","currency":"CNY"}, lists {"items":[...],"next_cursor":""},
// errors RFC 9457 documents with a stable code.
//
// Each resource file exports one function that registers its operations:
//
//	func Orders(a *API, s *order.Service) {
//	    Get(a, "/orders/{id}", Operation{ID: "get-order", Summary: "...", Access: Customer},
//	        func(ctx context.Context, in *struct{ ID string `path:"id"` }) (*Body[Order], error) { ... })
//	}
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/web/cookie"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// Prefix of all paths.
const Prefix = "/api/v1"

// Access says who may call an operation.
type Access struct {
	signedIn, consent bool
	vpnUser           bool // and nobody else
	permission        string
}

// Who may call. SignedIn works without the platform policy accepted: reading
// and accepting policies, rights, signing out. Customer is the usual case.
var (
	Public   = Access{}
	SignedIn = Access{signedIn: true}
	Customer = Access{signedIn: true, consent: true}
)

// Staff allows staff who hold a permission.
func Staff(permission string) Access { return Access{signedIn: true, permission: permission} }

// Sessions tells who acts, by a session token. Errors of kind Unauthenticated
// mean nobody.
type Sessions interface {
	Authenticate(ctx context.Context, token string) (account.Principal, error)
}

// Gate tells whether a purpose is open for a person; nil means open.
type Gate interface {
	Gate(ctx context.Context, subject id.Handle, purpose string) error
}

// Options are what New needs.
type Options struct {
	Mux      *http.ServeMux
	Version  string
	Sessions Sessions
	Users    Users
	Gate     Gate
	Log      *slog.Logger
}

// API is the API being assembled.
type API struct {
	huma    huma.API
	opt     Options
	watched []watched // kinds of which event streams tell
}

// New returns an API without operations on the mux.
func New(o Options) *API {
	c := huma.DefaultConfig("Skybridge", o.Version)
	c.CreateHooks = nil // no $schema in answers
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = Prefix+"/openapi", "", ""
	c.RejectUnknownQueryParameters = true
	c.Servers = nil
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session":  {Type: "apiKey", In: "cookie", Name: cookie.Session},
		"vpn_user": {Type: "apiKey", In: "cookie", Name: cookie.Session, Description: "Of a VPN user; it opens nothing else"},
	}
	ownErrors()
	return &API{huma: humago.New(o.Mux, c), opt: o}
}

// ownErrors has the library refuse, and describe refusals, in our form. Its
// hooks are global: they are set once.
var ownErrors = sync.OnceFunc(func() {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, found ...error) huma.StatusError {
		return refused(ctx, status, found)
	}
	huma.NewError = func(status int, _ string, found ...error) huma.StatusError { return refused(nil, status, found) }
})

// OpenAPI returns the description as JSON.
func (a *API) OpenAPI() ([]byte, error) { return a.huma.OpenAPI().MarshalJSON() }

// Paths lists the registered paths with their methods, for tests that walk all
// routes.
func (a *API) Paths() map[string]*huma.PathItem { return a.huma.OpenAPI().Paths }

// refused converts what the library itself refuses: bad syntax, wrong types,
// unknown fields, oversized bodies.
func refused(ctx huma.Context, status int, found []error) huma.StatusError {
	info := request.Info{Language: i18n.Chinese}
	if ctx != nil {
		info = request.From(ctx.Context())
	}
	p := &problem.Problem{Type: "about:blank", Status: status, Code: "api.invalid_request", Request: info.Number}
	switch status {
	case http.StatusRequestEntityTooLarge:
		p.Code = "api.too_large"
	case http.StatusUnsupportedMediaType:
		p.Code = "api.not_json"
	case http.StatusInternalServerError:
		p.Code = "internal"
	}
	for _, err := range found {
		if d, ok := err.(huma.ErrorDetailer); ok && d != nil {
			detail := d.ErrorDetail()
			p.Problems = append(p.Problems, problem.Field{Location: detail.Location, Message: fieldText(info.Language, detail.Message)})
		}
	}
	p.Title = i18n.Text(info.Language, p.Code, nil)
	return p
}

// Operation describes one operation.
type Operation struct {
	ID      string // kebab-case, unique: "place-order"
	Summary string
	Detail  string // Markdown
	Tag     string // resource as people call it: "Orders"
	Access  Access
	Secret  bool // the answer holds a secret: no store of answers keeps it
	Status  int  // of success; 0 = 200, or 204 without a body
	IfMatch bool // it changes what has a version, and the use case holds to the request's condition
}

// Body is an answer with a JSON body.
type Body[T any] struct{ Body T }

// List is a page of items.
type List[T any] struct {
	Items      []T    `json:"items" nullable:"false"`
	NextCursor string `json:"next_cursor" doc:"Pass as cursor to read on; empty at the end"`
}

// Page is the query of lists; embed it in inputs.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Cursor string `query:"cursor" maxLength:"200"`
}

// Items converts a slice for a List; never nil.
func Items[F, T any](from []F, convert func(F) T) []T {
	to := make([]T, 0, len(from))
	for _, f := range from {
		to = append(to, convert(f))
	}
	return to
}

// Get registers a reading operation. path has no prefix.
func Get[I, O any](a *API, path string, op Operation, h func(context.Context, *I) (*O, error)) {
	add(a, http.MethodGet, path, op, h)
}

// Post registers an operation that creates or acts.
func Post[I, O any](a *API, path string, op Operation, h func(context.Context, *I) (*O, error)) {
	add(a, http.MethodPost, path, op, h)
}

// Patch registers a change.
func Patch[I, O any](a *API, path string, op Operation, h func(context.Context, *I) (*O, error)) {
	add(a, http.MethodPatch, path, op, h)
}

// Delete registers a removal.
func Delete[I, O any](a *API, path string, op Operation, h func(context.Context, *I) (*O, error)) {
	add(a, http.MethodDelete, path, op, h)
}

func add[I, O any](a *API, method, path string, op Operation, h func(context.Context, *I) (*O, error)) {
	if mutant.Off("TY-4.3", "LT-3f") {
		op.Access = Public
	}
	described := huma.Operation{
		OperationID: op.ID, Method: method, Path: Prefix + path, Summary: op.Summary, Description: op.Detail,
		DefaultStatus: op.Status, MaxBodyBytes: 1 << 20, Middlewares: huma.Middlewares{a.admit(op.Access), a.conditions(op)},
	}
	if op.IfMatch {
		described.Parameters = []*huma.Param{ifMatchParam}
	}
	if op.Secret {
		described.Middlewares = append(described.Middlewares, secret)
	}
	if op.Tag != "" {
		described.Tags = []string{op.Tag}
	}
	if op.Access.signedIn {
		described.Security = []map[string][]string{{"session": {}}}
	}
	if op.Access.vpnUser {
		described.Security = []map[string][]string{{"vpn_user": {}}}
	}
	huma.Register(a.huma, described, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, problem.From(request.From(ctx), a.opt.Log, err)
		}
		tell(ctx, out)
		return out, nil
	})
}

func secret(ctx huma.Context, next func(huma.Context)) {
	ctx.SetHeader("Cache-Control", secretCache)
	next(ctx)
}

type principalKey struct{}

// Who returns the signed-in person of a request; only operations with access
// SignedIn, Customer or Staff have one.
func Who(ctx context.Context) account.Principal {
	p, _ := ctx.Value(principalKey{}).(account.Principal)
	return p
}

// WithPrincipal returns a context in which Who answers p. It is for handlers
// outside the library (event streams) and tests.
func WithPrincipal(ctx context.Context, p account.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// admit holds an operation to its Access.
func (a *API) admit(need Access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if need.vpnUser {
			a.admitUser(ctx, next)
			return
		}
		if !need.signedIn {
			next(ctx)
			return
		}
		r, w := humago.Unwrap(ctx)
		p, err := a.Admit(r, need)
		if err != nil {
			problem.Write(w, r, a.opt.Log, err)
			return
		}
		next(huma.WithValue(ctx, principalKey{}, p))
	}
}

// ErrForbidden and ErrUnauthenticated are what Admit refuses with.
var (
	ErrForbidden       = errs.New(errs.Forbidden, "api.forbidden")
	ErrUnauthenticated = errs.New(errs.Unauthenticated, "api.unauthenticated")
)

// Admit tells who makes a request and holds them to an Access.
func (a *API) Admit(r *http.Request, need Access) (account.Principal, error) {
	token := cookie.Read(r, cookie.Session)
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = bearer
	}
	if token == "" || strings.HasPrefix(token, vpn.UserToken) {
		return account.Principal{}, ErrUnauthenticated
	}
	p, err := a.opt.Sessions.Authenticate(r.Context(), token)
	if err != nil {
		return account.Principal{}, err
	}
	if need.permission != "" && !p.Can(need.permission) {
		return account.Principal{}, ErrForbidden
	}
	if need.consent {
		if err := a.opt.Gate.Gate(r.Context(), p.Subject, consent.PlatformPolicy); err != nil {
			return account.Principal{}, err
		}
	}
	return p, nil
}
