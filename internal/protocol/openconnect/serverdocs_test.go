package openconnect

import (
	"encoding/xml"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// text is an element as clients read it: a format with two parameters.
type text struct {
	ID     string  `xml:"id,attr"`
	Param1 *string `xml:"param1,attr"`
	Param2 *string `xml:"param2,attr"`
	Format string  `xml:",chardata"`
}

// shown is what openconnect shows: each %s takes the next parameter, any other
// percent sign ends the work, and parameters are not looked into.
func (e text) shown() string {
	rest, out := e.Format, ""
	for _, p := range []*string{e.Param1, e.Param2} {
		i := strings.IndexByte(rest, '%')
		if i < 0 || !strings.HasPrefix(rest[i:], "%s") {
			break
		}
		if p == nil {
			out, rest = out+rest[:i+1], rest[i+1:]
			continue
		}
		out, rest = out+rest[:i]+*p, rest[i+2:]
	}
	return out + rest
}

// page is a server document as a client's XML library sees it.
type page struct {
	XMLName xml.Name `xml:"config-auth"`
	Type    string   `xml:"type,attr"`
	Version struct {
		Who string `xml:"who,attr"`
	} `xml:"version"`
	Opaque *struct {
		IsFor string `xml:"is-for,attr"`
		Inner string `xml:",innerxml"`
		Text  string `xml:",chardata"`
	} `xml:"opaque"`
	SessionID    *text     `xml:"session-id"`
	SessionToken *text     `xml:"session-token"`
	CertRequest  *struct{} `xml:"client-cert-request"`
	Auth         *struct {
		ID      string `xml:"id,attr"`
		Title   *text  `xml:"title"`
		Message *text  `xml:"message"`
		Banner  *text  `xml:"banner"`
		Error   *text  `xml:"error"`
		Form    *struct {
			Method string `xml:"method,attr"`
			Action string `xml:"action,attr"`
			Inputs []struct {
				Type  string  `xml:"type,attr"`
				Name  string  `xml:"name,attr"`
				Label string  `xml:"label,attr"`
				Value *string `xml:"value,attr"`
			} `xml:"input"`
			Select *struct {
				Name    string `xml:"name,attr"`
				Options []struct {
					Value    string `xml:"value,attr"`
					Selected string `xml:"selected,attr"`
					Label    string `xml:",chardata"`
				} `xml:"option"`
			} `xml:"select"`
		} `xml:"form"`
	} `xml:"auth"`
	Config *struct {
		CertHash string `xml:"vpn-base-config>server-cert-hash"`
		VPN      *struct {
			Rev  string `xml:"rev,attr"`
			File struct {
				Type    string `xml:"type,attr"`
				Service string `xml:"service-type,attr"`
				URI     string `xml:"uri"`
				Hash    string `xml:"hash"`
			} `xml:"file"`
		} `xml:"vpn-profile-manifest>vpn"`
	} `xml:"config"`
}

func read(t testing.TB, doc []byte) page {
	t.Helper()
	var p page
	if err := xml.Unmarshal(doc, &p); err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	if !strings.HasPrefix(string(doc), `<?xml version="1.0" encoding="UTF-8"?>`) {
		t.Errorf("no XML declaration: %s", doc)
	}
	return p
}

func TestAuthRequestForm(t *testing.T) {
	t.Parallel()
	p := read(t, AuthRequest{
		ID: FormMain, Title: "Login", Message: "Please enter your username.", Error: &FormError{ErrorLoginFailed, "Login failed."},
		Inputs: []Input{{Type: InputText, Name: FieldUsername, Label: "Username:"}, {Type: InputPassword, Name: FieldPassword, Label: "Password:"}, {Type: InputHidden, Name: "state"}},
		Groups: []Group{{"grp1", "Group one"}, {"grp2", "Group two"}, {"grp3", "Three"}}, SelectedGroup: "grp2",
	}.AppendTo(nil))
	if p.Type != "auth-request" || p.Version.Who != "sg" || p.Auth.ID != "main" || p.Opaque != nil || p.Auth.Banner != nil {
		t.Errorf("got %+v", p)
	}
	if p.Auth.Error.ID != "13" || p.Auth.Error.shown() != "Login failed." || p.Auth.Message.shown() != "Please enter your username." {
		t.Errorf("texts: %+v %+v", p.Auth.Error, p.Auth.Message)
	}
	f := p.Auth.Form
	if f.Method != "post" || f.Action != "/auth" || len(f.Inputs) != 3 || f.Inputs[2].Value == nil {
		t.Errorf("form: %+v", f)
	}
	var options []string
	for _, o := range f.Select.Options {
		options = append(options, o.Value+"="+o.Label+"/"+o.Selected)
	}
	if want := []string{"grp2=Group two/true", "grp1=Group one/", "grp3=Three/"}; f.Select.Name != "group_list" || !reflect.DeepEqual(options, want) {
		t.Errorf("options: got %q want %q", options, want)
	}
}

func TestChallengeAndCertRequest(t *testing.T) {
	t.Parallel()
	p := read(t, AuthRequest{ID: FormChallenge, Message: "Code", Action: "/x?a=1&b=2", Inputs: []Input{{Type: InputPassword, Name: FieldAnswer, Label: "Code:"}}}.AppendTo(nil))
	if p.Auth.ID != "challenge" || p.Auth.Form.Action != "/x?a=1&b=2" || p.Auth.Form.Select != nil {
		t.Errorf("got %+v", p.Auth)
	}
	p = read(t, AppendClientCertRequest(nil, "sealed"))
	if p.CertRequest == nil || p.Opaque.Text != "sealed" || p.Opaque.IsFor != "sg" {
		t.Errorf("got %+v", p)
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	c := Complete{Token: NewSecret([]byte("dG9rZW4=")), SessionID: "s1", Banner: "Welcome", CertSHA1: "AB12", ProfileURI: "/profiles/x.xml", ProfileSHA1: "CD34"}
	p := read(t, c.AppendTo(nil))
	if p.Type != "complete" || p.Auth.ID != "success" || p.SessionToken.shown() != "dG9rZW4=" || p.SessionID.shown() != "s1" || p.Auth.Banner.shown() != "Welcome" {
		t.Errorf("got %+v", p)
	}
	if p.Config.CertHash != "AB12" || p.Config.VPN.File.URI != "/profiles/x.xml" || p.Config.VPN.File.Hash != "CD34" || p.Config.VPN.Rev != "1.0" {
		t.Errorf("config: %+v", p.Config)
	}
	bare := read(t, Complete{}.AppendTo(nil))
	if bare.SessionToken != nil || bare.Config != nil || bare.Auth.Title.shown() != "SSL VPN Service" {
		t.Errorf("bare: %+v", bare)
	}
}

// A client copies the opaque element as it is; what was put in comes out.
func TestOpaqueRoundTrip(t *testing.T) {
	t.Parallel()
	const state = `sealed "state" <&> 100% äöü` + "\n"
	doc := string(AuthRequest{ID: FormMain, Opaque: state}.AppendTo(nil))
	from, to := strings.Index(doc, "<opaque"), strings.Index(doc, "</opaque>")+len("</opaque>")
	d, err := ParseDocument(xmlType, []byte(`<config-auth type="auth-reply">`+doc[from:to]+`<auth/></config-auth>`))
	if err != nil || d.Opaque != state || string(d.OpaqueRaw) != doc[from:to] {
		t.Errorf("got %q raw %q, %v", d.Opaque, d.OpaqueRaw, err)
	}
}

func TestPercentIsLiteral(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"100%", "%s", "%s %s %s", "%%", "50% of %s <b>", "plain"} {
		p := read(t, AuthRequest{Title: s, Message: s, Banner: s, Error: &FormError{1, s}}.AppendTo(nil))
		for _, e := range []*text{p.Auth.Title, p.Auth.Message, p.Auth.Banner, p.Auth.Error} {
			if got := e.shown(); got != s {
				t.Errorf("got %q want %q", got, s)
			}
		}
	}
}

// Whatever the texts are, the document is well formed and the texts survive.
func FuzzAuthRequest(f *testing.F) {
	f.Add("Login", "grp1", "opaque", "/auth")
	f.Add("100% <b>\"'&]]>", "a\"b", "<!--", "?&%s")
	f.Fuzz(func(t *testing.T, message, group, opaque, action string) {
		for _, s := range []string{message, group, opaque, action} {
			if !utf8.ValidString(s) || strings.ContainsFunc(s, notXML) {
				return // replaced by U+FFFD, which is checked by being well formed
			}
		}
		p := read(t, AuthRequest{
			ID: FormMain, Message: message, Error: &FormError{2, message}, Opaque: opaque, Action: action,
			Inputs: []Input{{Type: InputHidden, Name: "h", Label: group, Value: message}}, Groups: []Group{{"x", "y"}, {group, message}}, SelectedGroup: group,
		}.AppendTo(nil))
		if message != "" && p.Auth.Message.shown() != message {
			t.Errorf("message: got %q want %q", p.Auth.Message.shown(), message)
		}
		if opaque != "" && p.Opaque.Text != opaque {
			t.Errorf("opaque: got %q want %q", p.Opaque.Text, opaque)
		}
		if o := p.Auth.Form.Select.Options[0]; group != "x" && (o.Value != group || o.Label != message || o.Selected != "true") {
			t.Errorf("option: got %+v", o)
		}
		if *p.Auth.Form.Inputs[0].Value != message {
			t.Errorf("input: got %q", *p.Auth.Form.Inputs[0].Value)
		}
	})
}

// notXML tells the characters that XML 1.0 cannot carry at all; a CR survives
// only as a reference, which EscapeText writes.
func notXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
}
