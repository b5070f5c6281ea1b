package sslvpn

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

func get(path, cookie string) string {
	line := "GET " + path + " HTTP/1.1\r\nHost: x\r\n"
	if cookie != "" {
		line += "Cookie: webvpn=" + cookie + "\r\n"
	}
	return line + "\r\n"
}

// Cisco's clients fetch all of these before CONNECT; openconnect the profile.
func TestFilesOfCiscoClients(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const manifest = `<vpn rev="1.0"></vpn>`
	for path, want := range map[string]string{
		"/VPNManifest.xml": manifest, "/1/VPNManifest.xml": manifest, "/1/binaries/update.txt": "0,0,0000\n",
		"/1/binaries/vpndownloader.sh": "exit 0", "/1/index.html": "<html></html>", "/1/Windows": "<html></html>", "/1/Darwin_i386": "<html></html>",
		"/+CSCOT+/translation-table?textdomain=AnyConnect&type=manifest": manifest, "/+CSCOT+/oem-customization?app=AnyConnect&type=oem": manifest,
		"/:443/1/Linux_64": "<html></html>",
	} {
		if resp, body := r.dial(nil).request(get(path, "")); resp.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: got %s %q, want %q", path, resp.Status, body, want)
		}
	}
	for _, path := range []string{"/+CSCOE+/logon.html", "/CACHE/stc/1/binaries/x", "/profiles/other.xml", "/1/binaries"} {
		if resp, _ := r.dial(nil).request(get(path, "")); resp.StatusCode != 404 {
			t.Errorf("%s: got %s, want 404", path, resp.Status)
		}
	}
	p := r.dial(nil)
	if _, err := p.tls.Write([]byte("HEAD /1/Linux HTTP/1.1\r\nHost: x\r\n\r\n" + get("/1/binaries/update.txt", ""))); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			break
		}
	}
	if next, err := p.in.Peek(9); err != nil || string(next) != "HTTP/1.1 " {
		t.Errorf("after HEAD: got %q, %v, want the next answer", next, err)
	}
}

func TestProfileIsForThoseWhoLoggedIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(s *gwlink.SSLServer) { s.Name = "R&D" })
	resp, body := r.dial(nil).request(post(reply("ann", "pass")))
	var done struct {
		Certificate string `xml:"config>vpn-base-config>server-cert-hash"`
		URI         string `xml:"config>vpn-profile-manifest>vpn>file>uri"`
		Hash        string `xml:"config>vpn-profile-manifest>vpn>file>hash"`
	}
	if err := xml.Unmarshal([]byte(body), &done); err != nil {
		t.Fatal(err)
	}
	if want := openconnect.SHA1(r.certs["sslsrv-1"].Certificate[0]); done.Certificate != want {
		t.Errorf("got certificate %s, want %s", done.Certificate, want)
	}
	var cookie, config string
	for _, line := range resp.Header.Values("Set-Cookie") {
		value, _, _ := strings.Cut(line, ";")
		switch name, value, _ := strings.Cut(value, "="); name {
		case "webvpn":
			cookie = value
		case "webvpnc":
			config = value
		}
	}
	if !strings.Contains(config, "&fu:profiles%2Fprofile.xml&fh:"+done.Hash) || !strings.Contains(config, "sh:"+done.Certificate) {
		t.Errorf("got webvpnc %q", config)
	}
	got, profile := r.dial(nil).request(get(done.URI, cookie))
	if got.StatusCode != 200 || openconnect.SHA1([]byte(profile)) != done.Hash {
		t.Errorf("got %s with hash %s, want %s", got.Status, openconnect.SHA1([]byte(profile)), done.Hash)
	}
	if !strings.Contains(profile, "<HostName>R&amp;D</HostName><HostAddress>one.example.com:") {
		t.Errorf("got %s", profile)
	}
	for _, c := range []string{"", "x"} {
		if got, body := r.dial(nil).request(get(done.URI, c)); got.StatusCode != 401 || body != "" {
			t.Errorf("cookie %q: got %s, want 401", c, got.Status)
		}
	}
}

func TestLogoutPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cookie := r.dial(nil).login("ann")
	if resp, _ := r.dial(nil).request(get("/logout", "x")); resp.StatusCode != 200 || len(r.svc.Records()) != 1 {
		t.Errorf("a foreign cookie: got %s and %d sessions, want 200 and 1", resp.Status, len(r.svc.Records()))
	}
	for _, site := range []string{"cross-site", "same-site"} {
		from := strings.Replace(get("/logout", cookie), "\r\n", "\r\nSec-Fetch-Site: "+site+"\r\n", 1)
		if resp, _ := r.dial(nil).request(from); resp.StatusCode != 403 || len(resp.Cookies()) > 0 || len(r.svc.Records()) != 1 {
			t.Errorf("%s: got %s and %d sessions, want 403 and 1", site, resp.Status, len(r.svc.Records()))
		}
	}
	if resp, _ := r.dial(nil).request(get("/logout", cookie)); resp.StatusCode != 200 || len(resp.Cookies()) == 0 {
		t.Errorf("got %s, want 200 and the cookies gone", resp.Status)
	}
	if c := r.nextClosed(); c.Reason != gwlink.ReasonUser {
		t.Errorf("got %+v, want the session ended by its user", c)
	}
}
