package openconnect

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
)

// Ids of the auth element.
const (
	FormMain      = "main"      // the first page
	FormChallenge = "challenge" // a one-time code page; stock clients fill it in by themselves
)

// Input types. Stock clients ignore others.
const (
	InputText     = "text"
	InputPassword = "password"
	InputHidden   = "hidden"
	InputSelect   = "select" // a client's name for a select; servers write Groups
)

// CookiePrefix begins the names of the cookies of the protocol: webvpncontext finds
// a login again, webvpn is the session, webvpnc tells where the profile is.
const CookiePrefix = "webvpn"

// ErrorLoginFailed is the id that Cisco clients know for wrong credentials.
const ErrorLoginFailed = 13

// Field names with a meaning to stock clients: they fill TOTP into the first and
// RSA codes into the second by themselves.
const (
	FieldUsername          = "username"
	FieldSecondaryUsername = "secondary_username"
	FieldPassword          = "password"
	FieldSecondaryPassword = "secondary_password"
	FieldAnswer            = "answer"
)

// AuthRequest is a form for the user. Clients post it to Action.
type AuthRequest struct {
	ID      string // FormMain or FormChallenge
	Title   string
	Message string
	Banner  string
	Error   *FormError
	Action  string // path or absolute URL; "" means "/auth"
	Inputs  []Input

	// Groups become the select group_list. The one whose value is SelectedGroup is
	// written first and marked, without which stock clients loop. A client finds the
	// select among Inputs.
	Groups        []Group
	SelectedGroup string

	// Opaque comes back in the next document, see Document.Opaque. It is visible to
	// the client, so it must be sealed.
	Opaque string
}

// FormError is shown to the user. ErrorLoginFailed is the usual id.
type FormError struct {
	ID   int
	Text string
}

// Input is one field of a form.
type Input struct {
	Type    string // InputText, InputPassword, InputHidden, InputSelect
	Name    string // must be an XML name; it comes back as an element
	Label   string
	Value   string
	Options []Group // of an InputSelect; Value is that of one of them
}

// Group is an option of the select. The label is what users type for
// openconnect's --authgroup, so it should be usable as a name.
type Group struct {
	Value string
	Label string
}

// AppendTo appends the XML document.
func (a AuthRequest) AppendTo(b []byte) []byte {
	w := newWriter("auth-request")
	w.opaque(a.Opaque)
	w.open("auth", "id", a.ID)
	w.text("title", a.Title)
	w.text("message", a.Message)
	w.text("banner", a.Banner)
	if a.Error != nil {
		w.text("error", a.Error.Text, "id", strconv.Itoa(a.Error.ID))
	}
	action := a.Action
	if action == "" {
		action = "/auth"
	}
	w.open("form", "method", "post", "action", action)
	for _, in := range a.Inputs {
		w.input(in)
	}
	w.groups(a.Groups, a.SelectedGroup)
	w.close("form")
	w.close("auth")
	return w.end(b)
}

// Complete tells a client that it is authenticated.
type Complete struct {
	// Token is the value of the webvpn cookie. openconnect prefers the text of
	// session-token over the cookie, so both carry this.
	Token     Secret
	SessionID string
	Title     string // "" means "SSL VPN Service"
	Message   string
	Banner    string

	// Upper-case hex SHA-1 of the server's certificate, and path and hash of the
	// profile file. The config element is written only when CertSHA1 is given; the
	// manifest in it only when ProfileURI is.
	CertSHA1    string
	ProfileURI  string
	ProfileSHA1 string
}

// AppendTo appends the XML document.
func (c Complete) AppendTo(b []byte) []byte {
	w := newWriter("complete")
	if c.Token.Len() > 0 {
		w.text("session-id", c.SessionID)
		w.text("session-token", string(c.Token.Reveal()))
	}
	title := c.Title
	if title == "" {
		title = "SSL VPN Service"
	}
	w.open("auth", "id", "success")
	w.text("title", title)
	w.text("message", c.Message)
	w.text("banner", c.Banner)
	w.close("auth")
	if c.CertSHA1 != "" {
		c.writeConfig(w)
	}
	return w.end(b)
}

func (c Complete) writeConfig(w *writer) {
	w.open("config", "client", "vpn", "type", "private")
	w.open("vpn-base-config")
	w.plain("server-cert-hash", c.CertSHA1)
	w.close("vpn-base-config")
	if c.ProfileURI != "" {
		w.open("vpn-profile-manifest")
		w.open("vpn", "rev", "1.0")
		w.open("file", "type", "profile", "service-type", "user")
		w.plain("uri", c.ProfileURI)
		w.plain("hash", c.ProfileSHA1, "type", "sha1")
		w.close("file")
		w.close("vpn")
		w.close("vpn-profile-manifest")
	}
	w.close("config")
}

// AppendClientCertRequest appends the document that makes a client come back on
// a new connection with its certificate, or with Document.ClientCertFail.
func AppendClientCertRequest(b []byte, opaque string) []byte {
	w := newWriter("auth-request")
	w.opaque(opaque)
	w.open("client-cert-request")
	w.close("client-cert-request")
	return w.end(b)
}

// writer makes a config-auth document.
type writer struct{ buf bytes.Buffer }

func newWriter(typ string) *writer {
	w := &writer{}
	w.buf.WriteString(xml.Header)
	w.open("config-auth", "client", "vpn", "type", typ, "aggregate-auth-version", "2")
	w.plain("version", "0.1(1)", "who", "sg")
	return w
}

func (w *writer) end(b []byte) []byte {
	w.close("config-auth")
	return append(b, w.buf.Bytes()...)
}

// open writes a start tag; attrs are pairs of name and value.
func (w *writer) open(name string, attrs ...string) {
	w.buf.WriteString("<" + name)
	for i := 0; i+1 < len(attrs); i += 2 {
		w.buf.WriteString(" " + attrs[i] + `="`)
		w.escape(attrs[i+1])
		w.buf.WriteByte('"')
	}
	w.buf.WriteByte('>')
}

func (w *writer) close(name string) { w.buf.WriteString("</" + name + ">") }

// escape cannot fail: a bytes.Buffer takes everything.
func (w *writer) escape(s string) { _ = xml.EscapeText(&w.buf, []byte(s)) }

// secret writes an element whose text is not copied elsewhere.
func (w *writer) secret(name string, text Secret) {
	w.open(name)
	_ = xml.EscapeText(&w.buf, text.b)
	w.close(name)
}

// plain writes an element, also when its text is empty.
func (w *writer) plain(name, text string, attrs ...string) {
	w.open(name, attrs...)
	w.escape(text)
	w.close(name)
}

// text writes an element that clients take as a format string with the
// attributes param1 and param2, and none when the text is empty. A text with a
// percent sign travels as the parameter of "%s": inside a parameter nothing is
// interpreted, while openconnect has no escape for the sign itself.
func (w *writer) text(name, text string, attrs ...string) {
	switch {
	case text == "":
	case strings.Contains(text, "%"):
		w.plain(name, "%s", append(attrs, "param1", text, "param2", "")...)
	default:
		w.plain(name, text, attrs...)
	}
}

func (w *writer) opaque(text string) {
	if text != "" {
		w.plain("opaque", text, "is-for", "sg")
	}
}

func (w *writer) input(in Input) {
	attrs := []string{"type", in.Type, "name", in.Name}
	if in.Label != "" {
		attrs = append(attrs, "label", in.Label)
	}
	if in.Value != "" || in.Type == InputHidden {
		attrs = append(attrs, "value", in.Value)
	}
	w.open("input", attrs...)
	w.close("input")
}

func (w *writer) groups(groups []Group, selected string) {
	if len(groups) == 0 {
		return
	}
	w.open("select", "name", "group_list", "label", "Group:")
	for _, g := range groups {
		if g.Value == selected {
			w.plain("option", g.Label, "value", g.Value, "selected", "true")
		}
	}
	for _, g := range groups {
		if g.Value != selected {
			w.plain("option", g.Label, "value", g.Value)
		}
	}
	w.close("select")
}
