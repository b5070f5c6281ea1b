package netcfg

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// recordName names a tunnel's record: both programs put names that begin with
// "tun" before those of other links.
func recordName(device string) string { return "tun." + device }

// resolvconfProgram is where the program is, if it is not another name of
// resolvectl, which is systemd-resolved again.
func resolvconfProgram() string {
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		path, err := exec.LookPath(dir + "/resolvconf")
		if err != nil {
			continue
		}
		if target, err := filepath.EvalSymlinks(path); err == nil && filepath.Base(target) != "resolvectl" {
			return path
		}
	}
	return ""
}

// setResolvconf gives resolvconf(8) a record on its standard input. openresolv
// can be told that the tunnel's servers are the only ones (-x) and come first
// (-m 0); Debian's program goes by the name.
func (s *system) setResolvconf(c change, t *tunnel, p Plan) error {
	program := resolvconfProgram()
	if program == "" {
		return fmt.Errorf("%w: there is no resolvconf", ErrUnsupported)
	}
	args := []string{"-a", recordName(t.Device)}
	if isOpenresolv(c.ctx, program) {
		args = append([]string{"-m", "0", "-x"}, args...)
	}
	step()
	err := runResolvconf(c.ctx, program, resolvText([]Plan{p}), args...)
	step()
	return err
}

func (s *system) unsetResolvconf(c change, t *tunnel) error {
	program := resolvconfProgram()
	if program == "" {
		return nil // it went, and took its records along
	}
	args := []string{"-d", recordName(t.Device)}
	if isOpenresolv(c.ctx, program) {
		args = append([]string{"-f"}, args...) // no error where there is no record
	}
	step()
	return runResolvconf(c.ctx, program, nil, args...)
}

// isOpenresolv asks for the version, which Debian's program tells as its own.
func isOpenresolv(ctx context.Context, program string) bool {
	ctx, cancel := withContext(ctx)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	return err == nil && bytes.HasPrefix(out, []byte("openresolv"))
}

func runResolvconf(ctx context.Context, program string, input []byte, args ...string) error {
	ctx, cancel := withContext(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("resolvconf %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}
