package openconnect

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const xmlType = "application/xml; charset=utf-8"

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stock is what every document of the recorded client says about itself.
func stock(change func(*Document)) Document {
	d := Document{
		Version: "v9.01-3", DeviceID: "linux-64", Fields: Fields{},
		Capabilities: []string{"single-sign-on-v2", "single-sign-on-external-browser"},
	}
	change(&d)
	return d
}

func TestParseRecordedDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file string
		want Document
	}{
		{"init.xml", stock(func(d *Document) {
			d.Type, d.GroupAccess = TypeInit, "https://198.51.100.1/"
		})},
		{"init-group-change.xml", stock(func(d *Document) {
			d.Type, d.GroupAccess, d.GroupSelect = TypeInit, "https://198.51.100.1/auth", "grp2"
		})},
		{"auth-reply-username.xml", stock(func(d *Document) {
			d.Type, d.GroupSelect, d.Fields = TypeAuthReply, "grp2", Fields{"username": "alice"}
		})},
		{"auth-reply-password.xml", stock(func(d *Document) {
			d.Type, d.Fields = TypeAuthReply, Fields{"password": "pass"}
		})},
	} {
		for _, contentType := range []string{xmlType, "application/x-www-form-urlencoded", ""} {
			got, err := ParseDocument(contentType, readFile(t, c.file))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s as %q: got %+v, %v want %+v", c.file, contentType, got, err, c.want)
			}
		}
	}
}

func TestParseDocumentElements(t *testing.T) {
	t.Parallel()
	body := `<?xml version="1.0"?><!-- a comment -->
<config-auth client="vpn" type="auth-reply"><device-id platform-version="14" device-type="phone" unique-id="u1">android</device-id>
<mac-address-list><mac-address>02-00-5e-10-00-01</mac-address><mac-address public-interface="true">02-00-5e-10-00-02</mac-address></mac-address-list>
<future><username>mallory</username></future><opaque is-for="sg"><a>1</a>tail</opaque>
<session-token>tok</session-token><session-id>sid</session-id><host-scan-token>hst</host-scan-token><client-cert-fail/>
<auth><username>a&amp;b</username><password> p&lt;w </password><secondary_password/><client-cert-chain cert-store="1M"><x>y</x></client-cert-chain></auth>
</config-auth>`
	got, err := ParseDocument("", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := Document{
		Type: TypeAuthReply, DeviceID: "android",
		DeviceAttributes: map[string]string{"platform-version": "14", "device-type": "phone", "unique-id": "u1"},
		MACAddresses:     []string{"02-00-5e-10-00-01", "02-00-5e-10-00-02"},
		Opaque:           "tail", OpaqueRaw: []byte(`<opaque is-for="sg"><a>1</a>tail</opaque>`),
		SessionToken: NewSecret([]byte("tok")), SessionID: "sid", HostScanToken: "hst", ClientCertFail: true,
		Fields: Fields{"username": "a&b", "password": " p<w ", "secondary_password": ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v want %#v", got, want)
		t.Errorf("fields: got %q", map[string]string(got.Fields))
	}
}

func TestParseLogoutAndForm(t *testing.T) {
	t.Parallel()
	d, err := ParseDocument(xmlType, []byte(`<config-auth type="logout"><session-token>s</session-token></config-auth>`))
	if err != nil || d.Type != TypeLogout || string(d.SessionToken.Reveal()) != "s" {
		t.Errorf("logout: got %+v, %v", d, err)
	}
	d, err = ParseDocument("application/x-www-form-urlencoded", []byte("username=alice&password=a%26b+c&group_list=grp1"))
	want := Document{Type: TypeAuthReply, GroupSelect: "grp1", Fields: Fields{"username": "alice", "password": "a&b c"}}
	if err != nil || !reflect.DeepEqual(d, want) {
		t.Errorf("form: got %+v, %v", d, err)
	}
}

func TestParseDocumentRefuses(t *testing.T) {
	t.Parallel()
	wrap := func(s string) string { return `<config-auth type="init">` + s + `</config-auth>` }
	for _, c := range []struct {
		name, contentType, body string
		want                    error
	}{
		{"empty", xmlType, "", ErrDocument},
		{"other root", xmlType, `<auth type="init"/>`, ErrDocument},
		{"server's type", xmlType, `<config-auth type="auth-request"/>`, ErrDocument},
		{"no type", xmlType, `<config-auth/>`, ErrDocument},
		{"cut off", xmlType, `<config-auth type="init"><auth>`, ErrDocument},
		{"crossed tags", xmlType, wrap(`<auth><a></auth></a>`), ErrDocument},
		{"two roots", xmlType, wrap("") + wrap(""), ErrDocument},
		{"doctype", xmlType, `<!DOCTYPE x [<!ENTITY a "b">]>` + wrap("&a;"), ErrDocument},
		{"unknown entity", xmlType, wrap("<auth><username>&a;</username></auth>"), ErrDocument},
		{"other charset", xmlType, `<?xml version="1.0" encoding="utf-16"?>` + wrap(""), ErrDocument},
		{"too deep", xmlType, wrap(strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000)), ErrDocument},
		{"too many fields", xmlType, wrap("<auth>" + manyFields(maxFields+1) + "</auth>"), ErrDocument},
		{"too long", xmlType, wrap(strings.Repeat(" ", MaxDocument)), ErrTooLarge},
		{"too long a form", "application/x-www-form-urlencoded", strings.Repeat("a", MaxDocument+1), ErrTooLarge},
		{"broken form", "application/x-www-form-urlencoded", "a=%zz", ErrDocument},
	} {
		if d, err := ParseDocument(c.contentType, []byte(c.body)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %+v, %v want %v", c.name, d, err, c.want)
		}
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<f%d/>", i)
	}
	return b.String()
}

// No way of printing shows a password, a cookie or a key.
func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	values := []any{
		Document{Fields: Fields{"password": secret}, SessionToken: NewSecret([]byte(secret))},
		ConnectRequest{Cookie: NewSecret([]byte(secret)), MasterSecret: NewSecret([]byte(secret))},
		Complete{Token: NewSecret([]byte(secret))},
		NewSecret([]byte(secret)),
		Fields{"password": secret},
		&Document{Fields: Fields{"password": secret}},
	}
	hexed, escaped := fmt.Sprintf("%x", secret), fmt.Sprintf("%d", []byte(secret))
	for _, v := range values {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&log, verb, v)
		}
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all := log.String() + string(j)
		for _, bad := range []string{secret, hexed, escaped, "hunter"} {
			if strings.Contains(all, bad) {
				t.Errorf("%T prints its secret: %s", v, all)
			}
		}
	}
	if (Secret{}).Equal(Secret{}) || !NewSecret([]byte("a")).Equal(NewSecret([]byte("a"))) || NewSecret([]byte("a")).Equal(NewSecret([]byte("b"))) {
		t.Error("Equal")
	}
}

func FuzzParseDocument(f *testing.F) {
	for _, name := range []string{"init.xml", "init-group-change.xml", "auth-reply-username.xml", "auth-reply-password.xml"} {
		f.Add(true, readFile(f, name))
	}
	f.Add(false, []byte("username=a&password=b&group_list=c"))
	f.Add(true, []byte(`<config-auth type="auth-reply"><opaque is-for="sg"><a/>x</opaque><auth><b>c</b></auth></config-auth>`))
	f.Fuzz(func(t *testing.T, isXML bool, body []byte) {
		contentType := xmlType
		if !isXML {
			contentType = "application/x-www-form-urlencoded"
		}
		d, err := ParseDocument(contentType, body)
		if err != nil {
			if !errors.Is(err, ErrDocument) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		if len(d.Fields) > maxFields || d.Type == "" {
			t.Errorf("out of bounds: %+v", d)
		}
		if d.OpaqueRaw == nil {
			return
		}
		// What we send back is an element of its own and reads the same.
		var e struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		}
		if err := xml.Unmarshal(d.OpaqueRaw, &e); err != nil || e.XMLName.Local != "opaque" {
			t.Errorf("opaque %q: %v", d.OpaqueRaw, err)
		}
	})
}
