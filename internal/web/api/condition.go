package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/precondition"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
)

// versioned is a wire type that an ETag stands for. The tag is the version: it
// changes with what customers may change, not with what merely happens to a
// resource (sessions, locks), since it is for changes and not for caches.
type versioned interface{ version() int64 }

func (g VPNGateway) version() int64  { return g.Version }
func (v SSLServer) version() int64   { return v.Version }
func (c SSLClient) version() int64   { return c.Version }
func (c Certificate) version() int64 { return c.Version }

func (b Body[T]) tag() string {
	if v, ok := any(b.Body).(versioned); ok {
		return precondition.Tag(v.version())
	}
	return ""
}

// ErrNoConditions refuses a condition that would not be held to.
var ErrNoConditions = errs.New(errs.Invalid, "api.no_conditions")

var ifMatchParam = &huma.Param{
	Name: "If-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
	Description: "ETag of what was seen: 412 if it changed since",
}

type tagKey struct{}

// conditions hands the condition of a changing request to the use case, and
// tell the way to set the ETag of the answer.
func (a *API) conditions(op Operation) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		inner := context.WithValue(ctx.Context(), tagKey{}, w.Header())
		if field := ctx.Header("If-Match"); field != "" && r.Method != http.MethodGet {
			if !op.IfMatch {
				problem.Write(w, r, a.opt.Log, ErrNoConditions)
				return
			}
			inner = precondition.WithMatch(inner, field)
		}
		next(huma.WithContext(ctx, inner))
	}
}

// tell sets the ETag of an answer that has one.
func tell(ctx context.Context, out any) {
	h, ok := ctx.Value(tagKey{}).(http.Header)
	b, ok2 := out.(interface{ tag() string })
	if !ok || !ok2 {
		return
	}
	if tag := b.tag(); tag != "" {
		h.Set("ETag", tag)
	}
}
