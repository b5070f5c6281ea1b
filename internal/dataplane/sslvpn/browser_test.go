package sslvpn

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// form is a post of an HTML form.
func form(body string, headers ...string) string {
	return typed("application/x-www-form-urlencoded", body, headers...)
}

func typed(media, body string, headers ...string) string {
	return fmt.Sprintf("POST /auth HTTP/1.1\r\nHost: vpn.example.com\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n\r\n%s",
		media, len(body), strings.Join(append(headers, "X-Transcend-Version: 1"), "\r\n"), body)
}

var markOf = regexp.MustCompile(`name="continue" value="([^"]+)"`)

// TestAPageOfAnotherSiteOpensNoSession: it has a browser post with the person's
// certificate, plain forms and XML in the guise of text; clients that mean it get
// in, with and without XML.
func TestAPageOfAnotherSiteOpensNoSession(t *testing.T) {
	t.Parallel()
	ca, fake := newIssuer(t, nil), clock.NewFake(time.Now())
	r := newRigWith(t, Config{Listen: loopback, Clock: fake}, "127.0.0.1", func(s *gwlink.SSLServer) {
		s.LoginMode, s.ClientCAs = gwlink.LoginCertificate, [][]byte{ca.cert.Raw}
	})
	own, other := ca.client(0xabc), ca.client(0xdef)
	mark := func() string {
		t.Helper()
		_, body := r.dial(own).request("GET / HTTP/1.1\r\nHost: vpn.example.com\r\n\r\n")
		found := markOf.FindStringSubmatch(body)
		if found == nil {
			t.Fatalf("got no form: %s", body)
		}
		return "continue=" + url.QueryEscape(found[1])
	}
	const shown, in = `name="continue"`, `id="success"`
	cookie := "Cookie: webvpncontext=vcv_x"
	for name, c := range map[string]struct {
		request, contains string
		status            int
	}{
		"nothing seen":               {form("continue=1"), shown, 200},
		"an empty form":              {form(""), shown, 200},
		"XML in a form":              {form(initDocument), shown, 200},
		"XML in text":                {typed("text/plain", initDocument), shown, 200},
		"XML in text, with a cookie": {typed("text/plain", initDocument, cookie), shown, 200},
		"a reply in text":            {typed("text/plain", "<config-auth type=\"auth-reply\"><auth><continue>1</continue></auth></config-auth>"), shown, 200},
		"from another site":          {form(mark(), "Sec-Fetch-Site: cross-site"), "", 403},
		"from a neighbour":           {form(mark(), "Sec-Fetch-Site: same-site"), "", 403},
		"of a foreign origin":        {form(mark(), "Origin: https://evil.example"), "", 403},
		"of an origin without name":  {form(mark(), "Origin: null"), "", 403},
		"XML of a foreign origin":    {typed("application/xml", initDocument, "X-Aggregate-Auth: 1", "Origin: https://evil.example"), "", 403},
		"a form that was shown":      {form(mark()), in, 200},
		"the same, in a browser":     {form(mark(), "Origin: https://vpn.example.com", "Sec-Fetch-Site: same-origin"), in, 200},
		"a client's XML":             {typed("application/xml", initDocument, "X-Aggregate-Auth: 1"), in, 200},
	} {
		before := len(r.svc.Records())
		resp, body := r.dial(own).request(c.request)
		opened := len(r.svc.Records()) > before || strings.Contains(body, in)
		if resp.StatusCode != c.status || !strings.Contains(body, c.contains) || opened != (c.contains == in) {
			t.Errorf("%s: got %s %s, want %d with %q", name, resp.Status, body, c.status, c.contains)
		}
	}
	late := mark()
	if _, body := r.dial(other).request(form(late)); !strings.Contains(body, shown) {
		t.Errorf("the form of another's certificate: got %s", body)
	}
	fake.Advance(2 * markLife)
	if _, body := r.dial(own).request(form(late)); !strings.Contains(body, shown) {
		t.Errorf("a form of long ago: got %s", body)
	}
}
