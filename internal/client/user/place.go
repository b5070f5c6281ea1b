package user

import (
	"bytes"
	"os"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// Root is the person's directory: dir where it is given, such as by
// SKYCONNECT_DIR, else the system's place.
func Root(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	return local.Default()
}

// Socket is the daemon's: that of SKYCONNECT_SOCKET, else the usual one.
func Socket() string {
	if s := os.Getenv("SKYCONNECT_SOCKET"); s != "" {
		return s
	}
	return ipc.DefaultPath
}

// ParseBundle reads what an administrator gave: the content of a file, or a link as
// QR codes hold it.
func ParseBundle(text []byte) (bundle.Bundle, error) {
	if link := bytes.TrimSpace(text); bytes.HasPrefix(link, []byte(bundle.LinkPrefix)) {
		return bundle.ParseLink(string(link))
	}
	return bundle.Parse(text)
}
