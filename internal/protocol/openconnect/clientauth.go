package openconnect

import (
	"encoding/xml"
	"errors"
	"slices"
	"strings"
)

// ErrAnswer says that a server's document makes no sense to a client.
var ErrAnswer = errors.New("openconnect: malformed answer of the server")

// Answer is a server's document during authentication, as its client reads it.
type Answer struct {
	Done  bool        // authenticated; Form is empty
	Token Secret      // of session-token, which wins over the cookie; may be empty
	Form  AuthRequest // Opaque is its text; only the first 64 inputs are kept
	// OpaqueRaw is the opaque element as it came; it goes into the next document.
	OpaqueRaw []byte
}

// answerXML is what a client needs of config-auth. Old servers send a bare
// auth; they are not known here.
type answerXML struct {
	XMLName xml.Name `xml:"config-auth"`
	Type    string   `xml:"type,attr"`
	Opaque  struct {
		Attrs []xml.Attr `xml:",any,attr"`
		Inner string     `xml:",innerxml"`
		Text  string     `xml:",chardata"`
	} `xml:"opaque"`
	Token string `xml:"session-token"`
	Auth  struct {
		ID      string  `xml:"id,attr"`
		Title   textXML `xml:"title"`
		Message textXML `xml:"message"`
		Banner  textXML `xml:"banner"`
		Error   textXML `xml:"error"`
		Form    struct {
			Action string `xml:"action,attr"`
			Inputs []struct {
				Type  string `xml:"type,attr"`
				Name  string `xml:"name,attr"`
				Label string `xml:"label,attr"`
				Value string `xml:"value,attr"`
			} `xml:"input"`
		} `xml:"form"`
	} `xml:"auth"`
}

// textXML is a text whose "%s" stands for its first parameter.
type textXML struct {
	Text   string `xml:",chardata"`
	Param1 string `xml:"param1,attr"`
}

func (t textXML) String() string { return strings.Replace(t.Text, "%s", t.Param1, 1) }

// ParseAnswer reads a server's document. ErrTooLarge and ErrAnswer are the only
// errors.
func ParseAnswer(body []byte) (Answer, error) {
	if len(body) > MaxDocument {
		return Answer{}, ErrTooLarge
	}
	var d answerXML
	if err := xml.Unmarshal(body, &d); err != nil {
		return Answer{}, ErrAnswer
	}
	a := Answer{Done: d.Type == "complete" || d.Auth.ID == "success", Token: NewSecret([]byte(d.Token))}
	if a.Done {
		return a, nil
	}
	if d.Type != "auth-request" {
		return Answer{}, ErrAnswer
	}
	a.Form = d.form()
	if d.Opaque.Inner != "" {
		w := &writer{}
		var attrs []string
		for _, at := range d.Opaque.Attrs {
			attrs = append(attrs, at.Name.Local, at.Value)
		}
		w.open("opaque", attrs...)
		w.buf.WriteString(d.Opaque.Inner)
		w.close("opaque")
		a.OpaqueRaw = w.buf.Bytes()
	}
	return a, nil
}

func (d *answerXML) form() AuthRequest {
	f := AuthRequest{
		ID: d.Auth.ID, Title: d.Auth.Title.String(), Message: d.Auth.Message.String(), Banner: d.Auth.Banner.String(),
		Action: d.Auth.Form.Action, Opaque: d.Opaque.Text,
	}
	if text := d.Auth.Error.String(); text != "" {
		f.Error = &FormError{ID: ErrorLoginFailed, Text: text}
	}
	for _, in := range d.Auth.Form.Inputs {
		if len(f.Inputs) < maxFields && (in.Type == InputText || in.Type == InputPassword || in.Type == InputHidden) {
			f.Inputs = append(f.Inputs, Input{Type: in.Type, Name: in.Name, Label: in.Label, Value: in.Value})
		}
	}
	return f
}

// AppendInit appends the document that begins an authentication. device is such
// as "linux-64"; url is what the user typed.
func AppendInit(b []byte, version, device, url string) []byte {
	w := clientWriter("init", version, device)
	w.plain("group-access", url)
	return w.end(b)
}

// AppendReply appends the answer to a form. Names of fields become elements, so
// those that are no XML names are left out.
func AppendReply(b []byte, version, device string, to Answer, fields Fields) []byte {
	w := clientWriter("auth-reply", version, device)
	w.buf.Write(to.OpaqueRaw)
	w.open("auth")
	for _, name := range slices.Sorted(slices.Values(fields.names())) {
		if plainName(name) {
			w.plain(name, fields[name])
		}
	}
	w.close("auth")
	return w.end(b)
}

func clientWriter(typ, version, device string) *writer {
	w := &writer{}
	w.buf.WriteString(xml.Header)
	w.open("config-auth", "client", "vpn", "type", typ, "aggregate-auth-version", "2")
	w.plain("version", version, "who", "vpn")
	w.plain("device-id", device)
	return w
}

// plainName tells whether s may be the name of an element: letters, digits,
// "-", "_" and ".", not beginning with one of the latter or a digit.
func plainName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '-' && r != '.' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}
