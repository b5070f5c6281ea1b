package openconnect

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
)

// ErrAnswer says that a server's document makes no sense to a client.
var ErrAnswer = errors.New("openconnect: malformed answer of the server")

// Answer is a server's document during authentication, as its client reads it.
type Answer struct {
	Done  bool        // authenticated; Form is empty
	Token Secret      // of session-token, which wins over the cookie; may be empty
	Form  AuthRequest // Opaque is its text; only the first 64 inputs are kept, selects behind the others
	// WantsCertificate: no form, but the server asks for a client certificate.
	WantsCertificate bool
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
	Token       string    `xml:"session-token"`
	CertRequest *struct{} `xml:"client-cert-request"`
	Auth        struct {
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
			Selects []selectXML `xml:"select"`
		} `xml:"form"`
	} `xml:"auth"`
}

type selectXML struct {
	Name    string `xml:"name,attr"`
	Label   string `xml:"label,attr"`
	Options []struct {
		Value    string `xml:"value,attr"`
		Selected string `xml:"selected,attr"`
		Text     string `xml:",chardata"`
	} `xml:"option"`
}

// textXML is a text whose "%s" stands for its first parameter.
type textXML struct {
	Text   string `xml:",chardata"`
	Param1 string `xml:"param1,attr"`
}

func (t textXML) String() string { return Printable(strings.Replace(t.Text, "%s", t.Param1, 1)) }

// ParseAnswer reads a server's document. Texts for people are made Printable.
// A DOCTYPE is refused: a document of this protocol has none, and entities are
// what small documents become large by. ErrTooLarge and ErrAnswer are the only
// errors.
func ParseAnswer(body []byte) (Answer, error) {
	if len(body) > MaxDocument {
		return Answer{}, ErrTooLarge
	}
	var d answerXML
	if bytes.Contains(body, []byte("<!DOCTYPE")) || xml.Unmarshal(body, &d) != nil {
		return Answer{}, ErrAnswer
	}
	a := Answer{Done: d.Type == "complete" || d.Auth.ID == "success", Token: NewSecret([]byte(d.Token))}
	if a.Done {
		return a, nil
	}
	if d.Type != "auth-request" {
		return Answer{}, ErrAnswer
	}
	a.Form, a.OpaqueRaw = d.form(), d.opaque()
	a.WantsCertificate = d.CertRequest != nil && len(a.Form.Inputs) == 0
	return a, nil
}

// opaque is the element as it goes back.
func (d *answerXML) opaque() []byte {
	if d.Opaque.Inner == "" {
		return nil
	}
	w := &writer{}
	var attrs []string
	for _, at := range d.Opaque.Attrs {
		if plainName(at.Name.Local) {
			attrs = append(attrs, at.Name.Local, at.Value)
		}
	}
	w.open("opaque", attrs...)
	w.buf.WriteString(d.Opaque.Inner)
	w.close("opaque")
	return w.buf.Bytes()
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
			f.Inputs = append(f.Inputs, Input{Type: in.Type, Name: in.Name, Label: Printable(in.Label), Value: in.Value})
		}
	}
	for _, s := range d.Auth.Form.Selects {
		if len(f.Inputs) < maxFields && len(s.Options) > 0 {
			f.Inputs = append(f.Inputs, s.input())
		}
	}
	return f
}

// input is a select as a field whose value is the option chosen so far, the
// first if the server marks none.
func (s selectXML) input() Input {
	in := Input{Type: InputSelect, Name: s.Name, Label: Printable(s.Label)}
	for i, o := range s.Options {
		if i == maxListItems {
			break
		}
		if i == 0 || o.Selected == "true" {
			in.Value = o.Value
		}
		in.Options = append(in.Options, Group{Value: o.Value, Label: Printable(o.Text)})
	}
	return in
}

// maxText is the most characters of a text for people.
const maxText = 4096

// Printable makes a text of the other end fit to be shown: at most 4096
// characters, of control characters only the line feed, blanks around removed.
// What is left can not command a terminal.
func Printable(text string) string {
	n := 0
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if n++; n > maxText {
			return -1
		}
		if r == '\n' || r >= ' ' && (r < 0x7f || r > 0x9f) && (r < 0x202a || r > 0x202e) && (r < 0x2066 || r > 0x2069) {
			return r
		}
		return ' '
	}, text))
}
