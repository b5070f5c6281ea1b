package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// Program is the file that the daemon runs from, which an update may replace.
type Program struct {
	path    string
	running fs.FileInfo // of what runs, wherever it is now
}

// Replaced tells whether another program is at its place than the one that runs. One
// that is being put there is none yet.
func (p *Program) Replaced() bool {
	if p == nil {
		return false
	}
	now, err := os.Stat(p.path)
	return err == nil && !os.SameFile(now, p.running)
}

// Try returns the version that the program at its place says it has. One that
// somebody else than this user and root could have put there is not run.
func (p *Program) Try(ctx context.Context) (version string, err error) {
	if err := p.trusted(); err != nil {
		return "", err
	}
	c := exec.CommandContext(ctx, p.path, "--version")
	c.Env = []string{}
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("it does not start: %w", err)
	}
	words := strings.Fields(string(bytes.ToValidUTF8(out, nil)))
	if len(words) == 0 || len(out) > 256 {
		return "", errors.New("it does not say its version")
	}
	return words[len(words)-1], nil
}
