package sslvpn

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// What Cisco's client says and does, after the specification (OpenConnect, 4.2,
// 5.1, 8.4 and row 4 of 21). No real one was there to verify it.
const (
	ciscoAgent   = "AnyConnect Windows 4.10.05095"
	ciscoCiphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384:AES128-SHA"
)

// ciscoPost is a document with Cisco's headers and the cookies of before.
func ciscoPost(path, cookies, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nUser-Agent: %s\r\nX-Transcend-Version: 1\r\nX-Aggregate-Auth: 1\r\nX-AnyConnect-Platform: win\r\n"+
		"Cookie: %s\r\nContent-Type: application/xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", path, ciscoAgent, cookies, len(body), body)
}

// jar is what a client's cookies are after an answer.
func jar(resp *http.Response) string {
	var all []string
	for _, c := range resp.Cookies() {
		if c.Value != "" && c.MaxAge >= 0 {
			all = append(all, c.Name+"="+c.Value)
		}
	}
	return strings.Join(all, "; ")
}

// TestACiscoStyleClient authenticates over a connection for each round, with no
// opaque element but the cookie, connects over a further one, and has DTLS by
// a resumed session of an ECDHE name: without a HelloVerifyRequest, and with one
// that something on the way asked for.
func TestACiscoStyleClient(t *testing.T) {
	t.Parallel()
	for name, verified := range map[string]bool{"plain": false, "with a cookie in its hello": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, dual)
			resp, _ := r.dial(nil).request(ciscoPost("/", "", strings.Replace(initDocument, "</version>", "</version><device-id>win</device-id>", 1)))
			resp, body := r.dial(nil).request(ciscoPost("/auth", jar(resp), `<config-auth client="vpn" type="auth-reply"><auth><username>ann</username><password>pass</password></auth></config-auth>`))
			if resp.Header.Get("X-Aggregate-Auth") != "1" || !strings.Contains(body, "<session-token>") {
				t.Fatalf("got %s %v %s", resp.Status, resp.Header, body)
			}
			cookies := jar(resp)
			_, cookie, _ := strings.Cut(cookies, "webvpn=")
			cookie, _, _ = strings.Cut(cookie, ";")
			if resp, _ := r.dial(nil).request("GET /VPNManifest.xml HTTP/1.1\r\nHost: x\r\nCookie: " + cookies + "\r\n\r\n"); resp.StatusCode != 200 {
				t.Errorf("manifest: got %s", resp.Status)
			}
			secret := strings.Repeat("AB", openconnect.MasterSecretLen)
			p := r.dial(nil)
			h := p.connectAs(ciscoAgent, cookie, "X-DTLS-Master-Secret: "+secret, "X-DTLS12-CipherSuite: "+ciscoCiphers, "X-CSTP-Protocol: Copyright (c) 2004 Cisco Systems, Inc.")
			if got := h.Get("X-Dtls12-Ciphersuite"); got != "ECDHE-RSA-AES256-GCM-SHA384" || h.Get("X-Dtls-App-Id")+h.Get("X-Dtls-Ciphersuite") != "" {
				t.Fatalf("got %q of %v", got, h)
			}
			r.resumes(h.Get("X-Dtls-Session-Id"), secret, verified)
			r.carries(p, "10.98.0.2")
		})
	}
}

// resumes brings DTLS up and sends a packet each way.
func (r *rig) resumes(id, secret string, verified bool) {
	r.t.Helper()
	d := &dtlsPeer{t: r.t, conn: r.dialUDP(), client: r.resumer(id, secret)}
	flight, err := d.client.Start()
	if err != nil {
		r.t.Fatal(err)
	}
	if verified {
		hello, err := dtls.ParseClientHello(flight[0])
		if err != nil {
			r.t.Fatal(err)
		}
		res, err := d.client.Handle(dtls.AppendHelloVerify(nil, hello, []byte("cookie of another")))
		if err != nil || len(res.Send) == 0 {
			r.t.Fatalf("the client does not take a HelloVerifyRequest: %v", err)
		}
		flight = res.Send
	}
	for d.client.Association() == nil {
		for _, b := range flight {
			d.write(b)
		}
		answer := d.read()
		if len(answer) > 13 && answer[0] == dtls.TypeHandshake && answer[13] == 3 {
			r.t.Fatal("got a HelloVerifyRequest for a session that is known")
		}
		res, err := d.client.Handle(answer)
		if err != nil {
			r.t.Fatal(err)
		}
		flight = res.Send
	}
	for _, b := range flight {
		d.write(b)
	}
	r.uses(session.DTLS)
	up, down := udpPacket("10.98.0.2", "10.77.0.2", []byte("up")), udpPacket("10.77.0.2", "10.98.0.2", []byte("down"))
	d.send(openconnect.TypeData, up)
	if got := r.nextPacket(); !bytes.Equal(got, up) {
		r.t.Errorf("got %x, want %x", got, up)
	}
	r.queue.Inject(down)
	if typ, got := d.frame(); typ != openconnect.TypeData || !bytes.Equal(got, down) {
		r.t.Errorf("got type %d %x, want %x", typ, got, down)
	}
}

func (r *rig) resumer(id, secret string) *dtls.Client {
	r.t.Helper()
	session, err := hex.DecodeString(id)
	if err != nil || len(session) != 32 {
		r.t.Fatalf("got session id %q", id)
	}
	master, err := hex.DecodeString(secret)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := dtls.NewClient(dtls.ClientConfig{Mode: dtls.ModeResume, SessionID: session, MasterSecret: master, Suite: 0xc030})
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// TestWhatAClientSaysOfItsDeviceIsForwarded: in its document, or in headers where
// it posts a form as old clients do, cut where it is too long, and not that of
// the request before.
func TestWhatAClientSaysOfItsDeviceIsForwarded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	reply := func(device string) string {
		return `<config-auth client="vpn" type="auth-reply"><version who="vpn">v1</version>` + device +
			`<opaque is-for="sg"><id>conv</id></opaque><auth><username>ann</username><password>wrong</password></auth></config-auth>`
	}
	form := func(headers string) string {
		const body = "username=ann&password=wrong"
		return fmt.Sprintf("POST /auth HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", headers, len(body), body)
	}
	long := strings.Repeat("é", gwlink.MaxDeviceText)
	p := r.dial(nil)
	for _, c := range []struct {
		request string
		want    gwlink.Device
	}{
		{
			post(reply(`<device-id platform-version="17" device-type="iPhone15,2" unique-id="u-1">apple-ios</device-id>`)),
			gwlink.Device{ID: "u-1", Platform: "apple-ios", Model: "iPhone15,2"},
		},
		{post(reply(`<device-id>linux-64</device-id>`)), gwlink.Device{Platform: "linux-64"}},
		{
			form("X-AnyConnect-Identifier-Platform: android\r\nX-AnyConnect-Identifier-DeviceType: Pixel\r\nX-AnyConnect-Identifier-Device-UniqueID: u-2\r\n"),
			gwlink.Device{ID: "u-2", Platform: "android", Model: "Pixel"},
		},
		{form(""), gwlink.Device{}},
		{post(reply(`<device-id unique-id="` + long + `">win</device-id>`)), gwlink.Device{ID: long[:gwlink.MaxDeviceText], Platform: "win"}},
	} {
		if resp, _ := p.request(c.request); resp.StatusCode != 200 {
			t.Fatalf("got %s to %q", resp.Status, c.request)
		}
		if got := r.asked().Device; got != c.want {
			t.Errorf("got %+v, want %+v of %q", got, c.want, c.request)
		}
	}
}
