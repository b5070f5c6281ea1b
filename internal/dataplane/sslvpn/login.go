package sslvpn

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

const (
	contextCookie = "webvpncontext" // the login conversation
	sessionCookie = "webvpn"        // the session
	loginLimit    = 30 * time.Second
	maxPeerChain  = 24 << 10 // bytes that are forwarded of a client's chain
	xmlType       = "text/xml; charset=utf-8"
	unavailable   = "The service is unavailable. Please try again later."
)

// begin starts a login conversation.
func (h *httpConn) begin(d openconnect.Document) answer {
	d.Fields = nil
	return h.round(d, "")
}

// groupOf is the group that a request is for: the one chosen in a form, that
// of the path, or that of the URL which the person typed. Of a group that was
// chosen by its URL the form offers no other: openconnect would ask again.
func (h *httpConn) groupOf(path string, d openconnect.Document) string {
	h.door = ""
	if d.GroupSelect != "" {
		return d.GroupSelect
	}
	paths := []string{path}
	if u, err := url.Parse(d.GroupAccess); err == nil {
		paths = append(paths, u.Path)
	}
	for _, p := range paths {
		if g, ok := h.groupAt(p); ok {
			h.door = g
		}
	}
	return h.door
}

// groupAt is the group whose path this is.
func (h *httpConn) groupAt(path string) (name string, ok bool) {
	name = strings.ToLower(strings.Trim(path, "/"))
	return name, slices.ContainsFunc(h.srv.spec.Groups, func(g gwlink.Group) bool { return g.Name == name })
}

// reply continues one. The conversation is known by the opaque element, or by
// the cookie for clients that do not return it.
func (h *httpConn) reply(d openconnect.Document, cookie string) answer {
	conversation := d.Opaque
	if conversation == "" {
		conversation = cookie
	}
	return h.round(d, conversation)
}

// round forwards one round to the authenticator and counts what came of it.
func (h *httpConn) round(d openconnect.Document, conversation string) answer {
	h.failure = ""
	outcome, a := h.decide(d, conversation)
	h.svc.tally.login(outcome, a.status)
	h.svc.tally.fail(h.reason(outcome, a.status))
	return a
}

// reason is why a round came to nothing, "" if it did not: what decide noted,
// else what the answer says.
func (h *httpConn) reason(outcome gwlink.Outcome, status int) string {
	switch {
	case h.failure != "":
		return h.failure
	case status == 503:
		return FailUnavailable
	case outcome == gwlink.OutcomeRefused || status == 401:
		return FailRefused
	}
	return ""
}

func (h *httpConn) decide(d openconnect.Document, conversation string) (gwlink.Outcome, answer) {
	if h.srv.gateway.frozen() {
		return "", h.ours("The VPN gateway is out of service.")
	}
	if h.banned() {
		h.failure = FailBanned
		return "", answer{status: 503, reason: gwlink.TextBanned, close: true}
	}
	leaf, ok := h.certificate()
	switch {
	case ok:
	case d.Type == openconnect.TypeInit && !d.ClientCertFail:
		return gwlink.OutcomeForm, answer{status: 200, contentType: xmlType, body: openconnect.AppendClientCertRequest(nil, "")}
	default:
		h.failure = FailCertificate
		return gwlink.OutcomeRefused, h.noCertificate()
	}
	ctx, cancel := context.WithTimeout(h.svc.ctx, loginLimit)
	defer cancel()
	a, err := h.svc.cfg.Auth.Login(ctx, gwlink.LoginRequest{
		Gateway: h.srv.gateway.id, Server: h.srv.spec.ID, Conversation: conversation,
		SourceIP: h.from.Addr(), Group: d.GroupSelect, Fields: d.Fields, Device: h.deviceOf(d), PeerCertificate: leaf, PeerChain: h.peerChain(leaf),
	})
	if err != nil {
		h.svc.cfg.Log.Warn("login round failed", "server", h.srv.spec.ID, "error", err)
		return "", h.ours(unavailable)
	}
	if h.about = a.Client; a.Failed {
		h.failure = FailCredentials
		h.failed()
	}
	// It may have taken long: the session is for the server as it is now.
	srv := h.svc.serverOf(h.srv.spec.ID)
	if srv == nil {
		return "", h.ours("The VPN server is no more.")
	}
	h.srv = srv
	outcome := a.Outcome
	if outcome == gwlink.OutcomeForm && a.Form != nil && len(a.Form.Fields) == 0 {
		outcome = gwlink.OutcomeRefused // such a form only tells why
	}
	return outcome, h.outcome(a, d.DeviceID)
}

// deviceOf is what the client says of its device, in the document or, if it posts
// no XML, in headers.
func (h *httpConn) deviceOf(d openconnect.Document) gwlink.Device {
	text := func(said, header string) string {
		return shortened(cmp.Or(said, h.head.Get("X-AnyConnect-Identifier-"+header)))
	}
	return gwlink.Device{
		ID:       text(d.DeviceAttributes["unique-id"], "Device-UniqueID"),
		Platform: text(d.DeviceID, "Platform"),
		Model:    text(d.DeviceAttributes["device-type"], "DeviceType"),
	}
}

// shortened cuts what a client says of its device to what control takes, at a character.
func shortened(text string) string {
	text = headerText(strings.ToValidUTF8(text, ""))
	if len(text) > gwlink.MaxDeviceText {
		text = strings.ToValidUTF8(text[:gwlink.MaxDeviceText], "")
	}
	return text
}

func (h *httpConn) outcome(a gwlink.LoginAnswer, device string) answer {
	switch a.Outcome {
	case gwlink.OutcomeForm:
		if a.Form == nil {
			return h.ours(unavailable)
		}
		return h.form(a)
	case gwlink.OutcomeGranted:
		return h.granted(a.Grant, device)
	case gwlink.OutcomeRefused:
		return answer{status: 401, reason: a.Reason, close: true}
	}
	reason := a.Reason
	if reason == "" {
		reason = unavailable
	}
	if a.Failed {
		return answer{status: 503, reason: reason, close: true}
	}
	return h.ours(reason)
}

// ours is a refusal for which nobody but us is to blame: it weighs nothing
// against the source.
func (h *httpConn) ours(reason string) answer {
	h.blameless = true
	return answer{status: 503, reason: reason, close: true}
}

func (h *httpConn) form(a gwlink.LoginAnswer) answer {
	f := a.Form
	q := openconnect.AuthRequest{ID: f.ID, Title: h.srv.spec.Name, Message: f.Message, Opaque: a.Conversation}
	if f.Error != "" {
		q.Error = &openconnect.FormError{ID: openconnect.ErrorLoginFailed, Text: f.Error}
	}
	q.SelectedGroup = f.Group
	for _, g := range f.Groups {
		if h.door != "" && h.door != g.Name {
			continue
		}
		q.Groups = append(q.Groups, openconnect.Group{Value: g.Name, Label: g.Label})
	}
	for _, in := range f.Fields {
		q.Inputs = append(q.Inputs, openconnect.Input{Type: in.Kind, Name: in.Name, Label: in.Label, Value: in.Value})
	}
	return answer{
		status: 200, contentType: xmlType, body: q.AppendTo(nil), extension: openconnect.SeedRule(h.head, h.srv.spec.KeepSeed),
		cookies: []string{contextCookie + "=" + headerText(a.Conversation) + "; Path=/; Secure; HttpOnly"},
	}
}

// granted opens the session that a signed grant allows.
func (h *httpConn) granted(signed []byte, device string) answer {
	h.svc.mu.RLock()
	keys := h.svc.keys
	h.svc.mu.RUnlock()
	grant, err := gwlink.VerifyGrant(keys, signed, h.svc.cfg.Clock.Now())
	if err != nil || grant.Server != h.srv.spec.ID || grant.Gateway != h.srv.gateway.id {
		h.svc.cfg.Log.Error("grant refused", "server", h.srv.spec.ID, "error", err)
		return h.ours(unavailable)
	}
	rec := Record{
		Session: grant.Session, Gateway: h.srv.gateway.id, Server: h.srv.spec.ID, Client: grant.Client, Grant: signed,
		SourceIP: h.from.Addr(), Linux: device == "linux" || device == "linux-64",
	}
	if grant.Serial != "" { // control made use of the certificate
		rec.Certificate = h.fingerprint()
	}
	cookie, reason, err := h.svc.open(h.srv, grant, rec)
	if err != nil {
		h.svc.cfg.Log.Warn("session refused", "session", grant.Session, "server", h.srv.spec.ID, "error", err)
		return h.ours(reason)
	}
	h.succeeded()
	done := openconnect.Complete{
		Token: openconnect.NewSecret([]byte(cookie)), SessionID: grant.Session,
		Banner: h.srv.spec.Banner, CertSHA1: openconnect.SHA1(h.srv.cert.Certificate[0]),
		ProfileURI: openconnect.ProfilePath, ProfileSHA1: openconnect.SHA1(h.srv.profile),
	}
	return answer{status: 200, contentType: xmlType, body: done.AppendTo(nil), cookies: []string{
		contextCookie + "=; Path=/; Max-Age=0; Secure; HttpOnly",
		sessionCookie + "=" + cookie + "; Path=/; Secure; HttpOnly",
		configCookie + gone,
		configCookie + "=" + openconnect.ConfigCookie(done.CertSHA1, done.ProfileURI, done.ProfileSHA1) + "; path=/; Secure; HttpOnly",
	}}
}

// logout ends the session of a client that asks for it.
func (h *httpConn) logout(r *http.Request, d openconnect.Document) answer {
	token := string(d.SessionToken.Reveal())
	if token == "" {
		token = openconnect.Cookie(r.Header, sessionCookie)
	}
	if c, ok := h.svc.byCookie(token); ok && c.rec.Server == h.srv.spec.ID {
		c.step(session.Event{Kind: session.Kick, Reason: gwlink.ReasonUser})
	}
	return answer{status: 200, close: true}
}
