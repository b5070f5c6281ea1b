//go:build netns

package netns

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	hostnet "github.com/skybridge-cloud/skybridge/internal/client/netcfg"
)

// victim is the program that changes the network of its namespace, built so that
// it can be killed at each of its steps.
func (h *host) victim() string {
	h.t.Helper()
	path := filepath.Join(h.dir, "hostnet")
	h.run("go", "build", "-tags", "fault", "-o", path, "./hostnet")
	return path
}

// does runs the steps in a process of their own, which is killed at its n-th
// step (0 = never), and tells whether it was.
func (h *host) does(program string, n int, steps ...map[string]any) (killed bool, said string) {
	h.t.Helper()
	b, err := json.Marshal(map[string]any{"Config": h.cfg, "Steps": steps})
	h.must(err)
	script := filepath.Join(h.dir, "script.json")
	h.must(os.WriteFile(script, b, 0o600))
	var out bytes.Buffer
	cmd := exec.Command(program, script)
	cmd.Env = append(os.Environ(), fmt.Sprintf("SKYBRIDGE_FAULT=hostnet-%d", n))
	cmd.Stdout, cmd.Stderr = &out, &out
	h.must(h.within("h", cmd.Start))
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signal() == syscall.SIGKILL {
			return true, out.String()
		}
	}
	if err != nil {
		h.t.Fatalf("at step %d: %v: %s", n, err, &out)
	}
	return false, out.String()
}

// TestKilledAtEachStep kills the client at each step of a tunnel's whole life,
// and once more at each step of the repair. The device stays behind in the one
// case and goes with the process in the other.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	first := full(func(p *hostnet.Plan) {
		p.KillSwitch, p.LocalLAN = true, true
		p.Exclude = prefixes("10.1.2.0/24")
		p.DNS = []netip.Addr{netip.MustParseAddr("10.98.0.53")}
	})
	second := full(func(p *hostnet.Plan) {
		p.Addresses, p.Include = prefixes("10.98.0.3/24 fd00:98::3/64"), prefixes("10.1.0.0/16")
		p.DNS = []netip.Addr{netip.MustParseAddr("10.98.0.54")}
	})
	life := []map[string]any{{"Plan": first}, {"Plan": second}, {"Remove": "sky0"}}
	for name, prepare := range map[string]func(*host){
		"the device stays":                 func(h *host) { h.ip("-n", h.id+"h", "tuntap", "add", "dev", "sky0", "mode", "tun") },
		"the device goes with the process": func(*host) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.must(h.Close()) // the victim opens it
			program := h.victim()
			prepare(h)
			before := h.picture()
			n := h.killed(program, before, nil, life)
			t.Logf("killed at each of %d steps", n)
			if n < 60 {
				t.Errorf("only %d steps", n)
			}
			n = h.killed(program, before, []map[string]any{{"Plan": first}, {"Plan": second}, {"Plan": first}}, []map[string]any{{}})
			t.Logf("repair killed at each of %d steps", n)
			if n < 15 {
				t.Errorf("only %d steps of the repair", n)
			}
		})
	}
}

// killed does what comes before, kills what follows at each step, repairs, and
// compares; it returns how many steps there were.
func (h *host) killed(program, before string, prior, life []map[string]any) int {
	h.t.Helper()
	for n := 1; ; n++ {
		if len(prior) > 0 {
			h.does(program, 0, prior...)
		}
		killed, _ := h.does(program, n, life...)
		_, said := h.does(program, 0, map[string]any{}, map[string]any{})
		h.as(before, fmt.Sprintf("killed at step %d; %s", n, said))
		if !strings.HasSuffix(said, "\nrepaired []\n") {
			h.t.Errorf("step %d: repaired twice: %s", n, said)
		}
		if !killed || h.t.Failed() {
			return n - 1
		}
	}
}
