package app

import (
	"archive/zip"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
)

// TestAProfileBringsThePolicyThatIsInForce reads the file that skyconnect reads,
// and compares its policy with what anybody can read on the site.
func TestAProfileBringsThePolicyThatIsInForce(t *testing.T) {
	t.Parallel()
	shelf := t.TempDir()
	must(t, os.WriteFile(filepath.Join(shelf, "1.root.json"), []byte("{}"), 0o600))
	in := assembled(t, func(cfg config.Config, s *stores, log *slog.Logger) (*modules, error) {
		cfg.Downloads = shelf
		return assemble(cfg, s, hashing{hasher: password.NewHasherAt(4, 64), account: 64}, log)
	})
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
	const empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // SHA-256 of {}
	if l := b.Profile.Links; l.Update != in.cfg.Console.URL+"/downloads/releases/" || l.UpdateRoot != empty {
		t.Errorf("the profile says that newer clients are at %q by %q", l.Update, l.UpdateRoot)
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
