package sslvpn

import (
	"net"
	"net/http"
	"strconv"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

const (
	configCookie = "webvpnc" // names certificate and profile
	gone         = "=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; Secure; HttpOnly"
)

// get answers what clients fetch before and beside a tunnel (spec OpenConnect,
// section 13).
func (h *httpConn) get(r *http.Request) answer {
	path := openconnect.CleanPath(r.URL.Path)
	if f, err := openconnect.StaticFile(path); err == nil {
		return answer{status: 200, contentType: f.ContentType, body: []byte(f.Body)}
	}
	if _, ok := h.groupAt(path); ok {
		return h.look(h.groupOf(path, openconnect.Document{}))
	}
	switch path {
	case "/", "/auth", "/VPN":
		return h.look(h.groupOf(path, openconnect.Document{}))
	case openconnect.ProfilePath:
		return h.profile(r)
	case "/logout", "/+webvpn+/webvpn_logout.html":
		return h.logoutPage(r)
	}
	return answer{status: 404, close: true}
}

// profile is for those who have logged in here.
func (h *httpConn) profile(r *http.Request) answer {
	if _, ok := h.session(r); !ok {
		return answer{status: 401, close: true}
	}
	return answer{status: 200, contentType: xmlType, body: h.srv.profile}
}

// logoutPage ends the session of the cookie, and is the same without one. A
// page of another site ends no session by a link or a picture.
func (h *httpConn) logoutPage(r *http.Request) answer {
	if foreign(r) {
		return answer{status: 403, close: true}
	}
	if c, ok := h.session(r); ok {
		c.step(session.Event{Kind: session.Kick, Reason: gwlink.ReasonUser})
	}
	return answer{
		status: 200, contentType: "text/html", body: []byte("<html></html>\n"), close: true,
		cookies: []string{sessionCookie + gone, contextCookie + gone, configCookie + gone},
	}
}

// session is the session of this server whose cookie a request carries.
func (h *httpConn) session(r *http.Request) (*liveSession, bool) {
	c, ok := h.svc.byCookie(openconnect.Cookie(r.Header, sessionCookie))
	return c, ok && c.rec.Server == h.srv.spec.ID
}

// profileOf makes the profile of a server. Its bytes change only with what it
// says, since clients fetch it again when its hash does.
func profileOf(spec gwlink.SSLServer) []byte {
	p := openconnect.Profile{HostName: spec.Name}
	if len(spec.ServerNames) > 0 {
		p.HostAddress = spec.ServerNames[0]
	}
	if spec.Port != 443 {
		p.HostAddress = net.JoinHostPort(p.HostAddress, strconv.Itoa(spec.Port))
	}
	return p.AppendTo(nil)
}
