package cookie

import (
	"net/http"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/webstore"
)

// Guard takes every Set-Cookie off answers that the registry does not allow,
// and tells refused its name. Without refused it panics: a test wants to fail.
func Guard(next http.Handler, refused func(r *http.Request, name string)) http.Handler {
	if refused == nil {
		refused = func(_ *http.Request, name string) { panic("cookie " + name + " is not registered, or has other flags") }
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := &guarded{ResponseWriter: w, refused: func(name string) { refused(r, name) }}
		next.ServeHTTP(g, r)
		g.sweep() // an answer without body is sent after this
	})
}

// guarded sweeps headers before they are sent.
type guarded struct {
	http.ResponseWriter
	refused func(name string)
}

// Unwrap lets http.ResponseController find deadlines.
func (g *guarded) Unwrap() http.ResponseWriter { return g.ResponseWriter }

// WriteHeader sends the swept headers.
func (g *guarded) WriteHeader(status int) {
	g.sweep()
	g.ResponseWriter.WriteHeader(status)
}

// Write sends the swept headers, if none were, and a part of the body.
func (g *guarded) Write(b []byte) (int, error) {
	g.sweep()
	return g.ResponseWriter.Write(b)
}

// FlushError sends what is there, headers too.
func (g *guarded) FlushError() error {
	g.sweep()
	return http.NewResponseController(g.ResponseWriter).Flush()
}

// Flush is FlushError for callers that do not ask.
func (g *guarded) Flush() { _ = g.FlushError() }

func (g *guarded) sweep() {
	lines := g.Header().Values("Set-Cookie")
	if len(lines) == 0 {
		return
	}
	kept, dropped := make([]string, 0, len(lines)), []string(nil)
	for _, l := range lines {
		if name, ok := allowed(l); ok || mutant.Off("LT-2.2") {
			kept = append(kept, l)
		} else {
			dropped = append(dropped, name)
		}
	}
	if len(dropped) == 0 {
		return
	}
	g.Header()["Set-Cookie"] = kept
	for _, name := range dropped {
		g.refused(name)
	}
}

// allowed compares a line with its registration: name, flags and life.
func allowed(l string) (name string, ok bool) {
	c, err := http.ParseSetCookie(l)
	if err != nil {
		return "", false
	}
	e, ok := webstore.Get().Cookie(c.Name)
	switch {
	case !ok, !c.Secure, c.SameSite != http.SameSiteLaxMode, c.Domain != "", c.HttpOnly == e.Script:
		return c.Name, false
	case c.MaxAge > 0 && (!e.Lasting || time.Duration(c.MaxAge)*time.Second > e.Most):
		return c.Name, false
	case c.MaxAge >= 0 && !c.Expires.IsZero(): // what is removed may say when
		return c.Name, false
	}
	return c.Name, true
}
