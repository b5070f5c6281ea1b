package openconnect

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ExpiredContextCookie is the Set-Cookie value of a first answer; it clears what
// an earlier attempt left behind.
const ExpiredContextCookie = "webvpncontext=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; Secure; HttpOnly"

// ContextCookie returns the Set-Cookie value that ties the rounds of one
// authentication together, over any number of connections.
func ContextCookie(value Secret, maxAge time.Duration) string {
	return "webvpncontext=" + clean(string(value.Reveal())) +
		"; Max-Age=" + strconv.FormatInt(int64(maxAge/time.Second), 10) + "; Secure; HttpOnly"
}

// Cookies returns the Set-Cookie values of the answer that carries c, in order.
// They are secret: the first one is the session.
func (c Complete) Cookies() []string {
	out := []string{
		"webvpn=" + clean(string(c.Token.Reveal())) + "; Secure; HttpOnly",
		"webvpnc=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; Secure; HttpOnly",
	}
	if c.CertSHA1 == "" {
		return out
	}
	v := "bu:/&p:t&iu:1/&sh:" + clean(c.CertSHA1) + "&lu:/+CSCOT+/translation-table?textdomain%3DAnyConnect%26type%3Dmanifest"
	if c.ProfileURI != "" {
		v += "&fu:" + url.QueryEscape(strings.TrimPrefix(c.ProfileURI, "/")) + "&fh:" + clean(c.ProfileSHA1)
	}
	return append(out, "webvpnc="+v+"; path=/; Secure; HttpOnly")
}
