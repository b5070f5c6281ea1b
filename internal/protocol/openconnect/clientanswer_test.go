package openconnect

import (
	"bufio"
	"bytes"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFormOfTheServerIsReadByOurClient(t *testing.T) {
	t.Parallel()
	want := AuthRequest{
		ID: FormMain, Title: "Login", Message: "100% & more", Error: &FormError{ID: ErrorLoginFailed, Text: "Login failed."}, Action: "/auth",
		Inputs: []Input{{Type: InputText, Name: FieldUsername, Label: "Name:"}, {Type: InputHidden, Name: "h", Value: "<v>"}}, Opaque: "a&b",
	}
	got, err := ParseAnswer(want.AppendTo(nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Form); diff != "" {
		t.Error(diff)
	}
	reply, err := ParseDocument("application/xml", AppendReply(nil, "v1", "linux-64", got, answers("username", "<ann>", "no name", "x")))
	if err != nil {
		t.Fatal(err)
	}
	if reply.Type != TypeAuthReply || reply.Opaque != "a&b" || reply.DeviceID != "linux-64" || reply.Fields["username"] != "<ann>" || len(reply.Fields) != 1 {
		t.Errorf("got %+v with %q", reply, map[string]string(reply.Fields))
	}
	first, err := ParseDocument("application/xml", Init{Version: "v1", Device: "linux-64", URL: "https://vpn.example/x"}.AppendTo(nil, Answer{}))
	if err != nil || first.Type != TypeInit || first.GroupAccess != "https://vpn.example/x" {
		t.Errorf("got %+v, %v", first, err)
	}
}

func TestSuccessIsReadByOurClient(t *testing.T) {
	t.Parallel()
	got, err := ParseAnswer(Complete{Token: NewSecret([]byte("tok"))}.AppendTo(nil))
	if err != nil || !got.Done || string(got.Token.Reveal()) != "tok" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "<", "<html></html>", `<config-auth type="else"></config-auth>`} {
		if _, err := ParseAnswer([]byte(bad)); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}

func TestTunnelOfTheServerIsReadByOurClient(t *testing.T) {
	t.Parallel()
	sent := ConnectResponse{
		IPv4: netip.MustParsePrefix("10.98.0.2/16"), IPv6: netip.MustParsePrefix("fd00::2/64"), FullIPv6: true, MTU: 1400, BaseMTU: 1500,
		SplitInclude: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24"), netip.MustParsePrefix("fd01::/32")},
		DPD:          30 * time.Second, Keepalive: time.Minute, RekeyTime: time.Hour, Extensions: []string{"gso"},
		DTLS: &DTLSOffer{Choice: DTLSChoice{Mode: DTLSPSK, Header: headerDTLS, Name: pskNegotiate}, ID: [32]byte{7}, Port: 443, DPD: 20 * time.Second},
	}
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(sent.AppendTo(nil))), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	got, err := ParseTunnel(r.Header)
	if err != nil {
		t.Fatal(err)
	}
	want := Tunnel{
		IPv4: sent.IPv4, IPv6: sent.IPv6, MTU: 1400, SplitInclude: sent.SplitInclude, DPD: 30 * time.Second, Keepalive: time.Minute,
		RekeyTime: time.Hour, Extensions: []string{"gso"}, DTLSMode: DTLSPSK, DTLSPort: 443, DTLSID: sent.DTLS.ID[:], BaseMTU: 1500, DTLSDPD: 20 * time.Second,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestTunnelOfOcservIsReadByOurClient(t *testing.T) {
	t.Parallel()
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(readFile(t, "connect-response.http"))), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	got, err := ParseTunnel(r.Header)
	if err != nil || got.DTLSMode != DTLSPSK || !got.IPv4.IsValid() {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(AuthRequest{ID: FormMain, Message: "m%", Opaque: "o", Inputs: []Input{{Type: InputText, Name: "n"}}}.AppendTo(nil))
	f.Add(Complete{Token: NewSecret([]byte("tok"))}.AppendTo(nil))
	for _, name := range []string{"auth-request-username.xml", "auth-request-password.xml", "complete.xml"} {
		f.Add(readFile(f, name)) // of ocserv
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := ParseAnswer(body)
		if err != nil {
			return
		}
		fields := Answers{}
		for _, in := range a.Form.Inputs {
			fields[in.Name] = NewSecret([]byte(in.Value))
		}
		AppendReply(nil, "v", "linux-64", a, fields)
	})
}

func FuzzParseTunnel(f *testing.F) {
	f.Add(ConnectResponse{IPv4: netip.MustParsePrefix("10.98.0.2/16"), MTU: 1400}.AppendTo(nil))
	f.Add(readFile(f, "connect-response.http"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
		if err != nil {
			return
		}
		defer r.Body.Close()
		got, err := ParseTunnel(r.Header)
		if err == nil && (got.MTU < minTunnelMTU || got.MTU > MaxPayload || !got.IPv4.IsValid() && !got.IPv6.IsValid()) {
			t.Errorf("accepted %+v", got)
		}
	})
}
