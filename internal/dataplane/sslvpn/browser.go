package sslvpn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// A browser that holds a certificate shows it to whoever has it send a request,
// a page of another site as well. So a certificate alone opens nothing before
// the request is known to be meant.

// markField is the hidden field of the form that look shows, markLife how long
// its value holds at least.
const (
	markField = "continue"
	markLife  = 5 * time.Minute
)

// foreign tells that a browser sends a request for a page of another site: by
// Fetch Metadata, and by the Origin of RFC 6454 for those that do not know it.
// VPN clients send neither.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	u, err := url.Parse(origin)
	return origin != "" && (err != nil || !strings.EqualFold(u.Host, r.Host))
}

// look answers a GET. It is how clients begin that cannot post XML, but also
// what a link in a browser does: nothing is granted before its form was posted.
func (h *httpConn) look(group string) answer {
	if !h.certificateAlone() {
		return h.begin(openconnect.Document{GroupSelect: group})
	}
	return h.form(gwlink.LoginAnswer{Form: &gwlink.Form{
		ID: openconnect.FormMain, Message: "Sign in with the certificate.",
		Fields: []gwlink.Field{{Name: markField, Kind: openconnect.InputHidden, Value: h.mark(h.svc.cfg.Clock.Now())}},
		Groups: h.srv.spec.Groups, Group: group,
	}})
}

// certificateAlone tells that the certificate of this connection says by itself
// who signs in.
func (h *httpConn) certificateAlone() bool {
	_, ok := h.certificate()
	return ok && h.srv.spec.LoginMode == gwlink.LoginCertificate
}

// meant tells whether a post may be a whole login. A page cannot give the header
// of XML clients to a request for another site, and has not seen the form of
// look. What continues a conversation is control's to judge.
func (h *httpConn) meant(r *http.Request, d openconnect.Document) bool {
	if d.Type == openconnect.TypeLogout || !h.certificateAlone() {
		return true
	}
	if d.Type == openconnect.TypeInit {
		return r.Header.Get("X-Aggregate-Auth") == "1"
	}
	return d.Opaque != "" || openconnect.Cookie(r.Header, contextCookie) != "" || h.marked(d.Fields[markField])
}

// mark proves that the form of look was shown to the holder of a certificate.
func (h *httpConn) mark(at time.Time) string {
	m := hmac.New(sha256.New, h.svc.markKey)
	own := h.fingerprint()
	m.Write(own[:])
	m.Write(binary.BigEndian.AppendUint64([]byte(h.srv.spec.ID), uint64(at.Unix()/int64(markLife/time.Second))))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (h *httpConn) marked(mark string) bool {
	now := h.svc.cfg.Clock.Now()
	return hmac.Equal([]byte(mark), []byte(h.mark(now))) || hmac.Equal([]byte(mark), []byte(h.mark(now.Add(-markLife))))
}
