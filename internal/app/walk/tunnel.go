package walk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/app/lab"
)

// tunnel is a running openconnect in the client's namespace.
type tunnel struct {
	cmd   *exec.Cmd
	log   *log
	ended chan struct{} // closed when openconnect has ended; then err is set
	err   error
}

var errClean = errors.New("exit status 0")

// script configures the tunnel's interface, instead of the system's
// vpnc-script, which would touch the machine's name resolution.
const script = `#!/bin/sh
case "$reason" in
connect)
  ip link set dev "$TUNDEV" up mtu "$INTERNAL_IP4_MTU"
  ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
  i=0
  while [ "$i" -lt "${CISCO_SPLIT_INC:-0}" ]; do
    eval "net=\$CISCO_SPLIT_INC_${i}_ADDR len=\$CISCO_SPLIT_INC_${i}_MASKLEN"
    ip route replace "$net/$len" dev "$TUNDEV"
    i=$((i + 1))
  done
  echo "tunnel-script: routes are set" ;;
esac
`

// dial connects a stock openconnect and waits until it says so; args come
// before the server's address.
func (w *walker) dial(ctx context.Context, established string, args ...string) (*tunnel, error) {
	for {
		t, err := w.dialOnce(ctx, established, args...)
		if err == nil || !w.Redial || ctx.Err() != nil {
			return t, err
		}
		fmt.Fprintf(w.out, "  dialling again: %v\n", err)
		if t != nil {
			_ = t.close() // most likely it has ended
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (w *walker) dialOnce(ctx context.Context, established string, args ...string) (*tunnel, error) {
	path := filepath.Join(w.Work, "tunnel-script")
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		return nil, err
	}
	name := w.server.Names[0]
	all := append([]string{
		"--protocol=anyconnect", "--resolve=" + name + ":" + lab.NodeAddress.Addr().String(), "--servercert", w.server.Pin,
		"--script", path, "--user", w.name, "--passwd-on-stdin", "--non-inter",
	}, args...)
	if !w.alone {
		all = append(all, "--certificate", filepath.Join(w.Work, "client.pem"), "--sslkey", filepath.Join(w.Work, "key.pem"))
	}
	if w.code != "" {
		all = append(all, "--token-mode=totp", "--token-secret=base32:"+w.code)
	}
	t := &tunnel{log: &log{}, ended: make(chan struct{})}
	t.cmd = exec.CommandContext(context.WithoutCancel(ctx), "openconnect", append(all, fmt.Sprintf("https://%s:%d", name, w.server.Port))...)
	t.cmd.Stdin = strings.NewReader(w.secret + "\n")
	t.cmd.Stdout, t.cmd.Stderr = t.log, t.log
	if err := lab.StartIn(w.Namespace, t.cmd); err != nil {
		return nil, fmt.Errorf("starting openconnect: %w", err)
	}
	go func() {
		defer close(t.ended)
		t.err = t.cmd.Wait()
	}()
	if err := t.await(ctx, established); err != nil {
		return t, err
	}
	// openconnect says that it is configured before its script has ended.
	return t, t.await(ctx, "tunnel-script: routes are set")
}

// await waits until openconnect prints a text; if it ends before, the error
// has the end of what it printed.
func (t *tunnel) await(ctx context.Context, text string) error {
	err := wait(ctx, 50*time.Millisecond, func() (bool, error) {
		if strings.Contains(t.log.String(), text) {
			return true, nil
		}
		select {
		case <-t.ended:
			return false, fmt.Errorf("openconnect ended: %w: %s", cmp.Or(t.err, errClean), t.log.tail())
		default:
			return false, nil
		}
	})
	if ctx.Err() != nil {
		return fmt.Errorf("%w: openconnect says: %s", err, t.log.tail())
	}
	return err
}

// close ends openconnect as a person does with ^C.
func (t *tunnel) close() error {
	_ = t.cmd.Process.Signal(os.Interrupt) // it may have ended by itself
	select {
	case <-t.ended:
		return nil
	case <-time.After(10 * time.Second):
		_ = t.cmd.Process.Kill()
		return errors.New("openconnect did not end within ten seconds")
	}
}

// through downloads the LAN host's file from inside the client's namespace,
// compares its digest, and sends it back, where the host does the same.
func (w *walker) through(ctx context.Context) error {
	file := filepath.Join(w.Work, "bytes")
	got, err := w.inside(ctx, `curl -sS --fail --max-time 120 -o "$2" "http://$1/bytes" && sha256sum <"$2"`, file)
	if err != nil {
		return fmt.Errorf("downloading through the tunnel: %w", err)
	}
	if digest, _, _ := strings.Cut(got, " "); digest != w.Digest {
		return fmt.Errorf("what came through the tunnel is not what was sent: %s", got)
	}
	got, err = w.inside(ctx, `curl -sS --fail --max-time 120 -X POST -T "$2" "http://$1/bytes"`, file)
	if err != nil {
		return fmt.Errorf("uploading through the tunnel: %w", err)
	}
	if want := fmt.Sprintf("%d %s", w.Size, w.Digest); strings.TrimSpace(got) != want {
		return fmt.Errorf("the host got %s, sent were %s", strings.TrimSpace(got), want)
	}
	return nil
}

// inside runs a shell line on the client's machine with the LAN host as $1 and
// a file as $2, and returns what it printed.
func (w *walker) inside(ctx context.Context, line, file string) (string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-c", line, "sh", w.Host, file)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := lab.StartIn(w.Namespace, cmd); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out.String())
	}
	return out.String(), nil
}

// disconnected asks for the end of the session and waits for openconnect to
// end: within two seconds, as promised.
func (w *walker) disconnected(ctx context.Context, t *tunnel) error {
	begin := time.Now()
	if err := w.call(ctx, http.MethodPost, "/ssl-clients/"+w.client+"/disconnect", struct{}{}, nil); err != nil {
		return err
	}
	select {
	case <-t.ended:
	case <-time.After(10 * time.Second):
		return errors.New("openconnect is still connected after ten seconds")
	}
	if took := time.Since(begin); took > 2*time.Second {
		return fmt.Errorf("disconnecting took %s, promised are 2 s", took.Round(10*time.Millisecond))
	}
	return nil
}
