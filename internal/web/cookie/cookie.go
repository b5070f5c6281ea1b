// Package cookie is the registry of cookies: these three and no others, as the
// privacy policy says (clauses LT-2.2 and COOKIE). Every cookie that the
// server sets is made here.
//
//	session   who is signed in; ends with the browser
//	remember  "keep me signed in", only after the person ticked it; 30 days, rotated
//	prefs     language and theme; no identifier; set by the console itself
package cookie

import (
	"net/http"
	"time"
)

// Names of the registered cookies. The __Host- prefix makes browsers insist on
// Secure, the whole path and no domain.
const (
	Session  = "__Host-session"
	Remember = "__Host-remember"
	Prefs    = "prefs"
)

// Names lists the registry.
var Names = []string{Session, Remember, Prefs}

// RememberFor is the life of the remember cookie.
const RememberFor = 30 * 24 * time.Hour

// NewSession returns the session cookie for a token.
func NewSession(token string) http.Cookie { return secret(Session, token, 0) }

// NewRemember returns the remember cookie for a token.
func NewRemember(token string) http.Cookie {
	return secret(Remember, token, int(RememberFor/time.Second))
}

// Clear returns the cookie that removes name from the browser.
func Clear(name string) http.Cookie { return secret(name, "", -1) }

func secret(name, value string, maxAge int) http.Cookie {
	return http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// Read returns the value of a registered cookie, or "".
func Read(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
