// Package cookie sets and filters cookies by the registry of
// platform/webstore, and is the only package that makes one: a test over the
// tree refuses http.SetCookie and http.Cookie elsewhere.
//
//	session   who is signed in; ends with the browser, 12 hours at most
//	remember  "keep me signed in", only after the person ticked it; 30 days, rotated
//	prefs     language and theme; no identifier; set by the console itself
//
// Invariants: no Set-Cookie header leaves whose name is not registered or whose
// flags are weaker than registered (clause LT-2.2); none outlives the browser
// without an act (LT-2.3).
package cookie

import (
	"net/http"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/webstore"
)

// Names of the registered cookies. The __Host- prefix makes browsers insist on
// Secure, the whole path and no domain.
const (
	Session  = "__Host-session"
	Remember = "__Host-remember"
	Prefs    = "prefs"
)

// Line is a value of the header Set-Cookie; empty sets none.
type Line string

// Make returns the line that sets a registered cookie to a value. life bounds
// one that outlives the browser and is cut to what is registered. A name that is
// not registered is a mistake in the program, and of a broken registry: no
// cookie.
func Make(name, value string, life time.Duration) Line {
	c, ok := webstore.Get().Cookie(name)
	if !ok {
		return ""
	}
	age := 0
	if c.Lasting || mutant.Off("LT-2.3") {
		age = int(max(min(life, c.Most), time.Second) / time.Second)
	}
	return line(c, value, age)
}

// Clear returns the line that removes a registered cookie from the browser.
func Clear(name string) Line {
	c, ok := webstore.Get().Cookie(name)
	if !ok {
		return ""
	}
	return line(c, "", -1)
}

// Set puts a registered cookie on an answer.
func Set(w http.ResponseWriter, name, value string, life time.Duration) {
	if l := Make(name, value, life); l != "" {
		w.Header().Add("Set-Cookie", string(l))
	}
}

func line(c webstore.Cookie, value string, maxAge int) Line {
	h := http.Cookie{
		Name: c.Name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: !c.Script, SameSite: http.SameSiteLaxMode,
	}
	return Line(h.String())
}

// Read returns the value of a registered cookie, or "".
func Read(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
