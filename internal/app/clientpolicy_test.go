package app

import (
	"archive/zip"
	"io/fs"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// TestAProfileBringsThePolicyThatIsInForce reads the file that skyconnect reads,
// and compares its policy with what anybody can read on the site.
func TestAProfileBringsThePolicyThatIsInForce(t *testing.T) {
	t.Parallel()
	in := install(t)
	p := in.customer("alice", 1)
	raw := p.do(200, "GET", "/ssl-clients/"+p.ids["ssl-clients"]+"/bundle", nil).text
	z, err := zip.NewReader(strings.NewReader(raw), int64(len(raw)))
	must(t, err)
	file, err := fs.ReadFile(z, "profile.skyconnect")
	must(t, err)
	b, err := bundle.Parse(file)
	must(t, err)
	if signer, err := b.Verify(); err != nil || signer == "" {
		t.Errorf("got signer %q, %v", signer, err)
	}
	if b.Profile.Policy == nil {
		t.Fatal("the profile brings no policy")
	}
	published := in.send("", "GET", "/api/v1/policies/client", "")
	if got, want := b.Profile.Policy.SHA256, published.str("sha256"); got != want || want == "" {
		t.Errorf("the profile has policy %q, published is %q", got, want)
	}
	link := p.do(200, "GET", "/ssl-clients/"+p.ids["ssl-clients"]+"/connect-link", nil)
	linked, err := bundle.ParseLink(link.str("import_link"))
	must(t, err)
	if linked.Profile.Policy == nil || linked.Profile.Policy.SHA256 != b.Profile.Policy.SHA256 || linked.Key != nil {
		t.Error("the link has another policy, or a key")
	}
	t.Logf("the link has %d characters", len(link.str("import_link")))
	if len(link.str("import_link")) > bundle.MaxQR {
		t.Error("a profile does not fit into a QR code")
	}
}
