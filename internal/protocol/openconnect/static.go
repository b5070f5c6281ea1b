package openconnect

import (
	"errors"
	"strings"
)

// ErrNoFile says that a path is not one of the fixed answers.
var ErrNoFile = errors.New("openconnect: no such file")

// StaticAnswer is the body of a 200 answer.
type StaticAnswer struct {
	ContentType string
	Body        string
}

var (
	emptyManifest = StaticAnswer{"text/xml", `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<vpn rev="1.0"></vpn>` + "\n"}
	emptyPage     = StaticAnswer{"text/html", "<html></html>\n"}
)

// staticFiles are what Cisco clients ask for before CONNECT, answered so that
// they find nothing to update.
var staticFiles = map[string]StaticAnswer{
	"/VPNManifest.xml":             emptyManifest,
	"/1/VPNManifest.xml":           emptyManifest,
	"/1/index.html":                emptyPage,
	"/1/Linux":                     emptyPage,
	"/1/Linux_64":                  emptyPage,
	"/1/Windows":                   emptyPage,
	"/1/Windows_ARM64":             emptyPage,
	"/1/Darwin_i386":               emptyPage,
	"/1/binaries/update.txt":       {"text/plain", "0,0,0000\n"},
	"/1/binaries/vpndownloader.sh": {"application/x-shellscript", "#!/bin/sh\n\nexit 0"},
	"/+CSCOT+/translation-table":   emptyManifest,
	"/+CSCOT+/oem-customization":   emptyManifest,
}

// StaticFile returns the answer for the path of a GET, without its query.
// ErrNoFile for every other path.
func StaticFile(path string) (StaticAnswer, error) {
	if a, ok := staticFiles[CleanPath(path)]; ok {
		return a, nil
	}
	return StaticAnswer{}, ErrNoFile
}

// CleanPath removes the ":port" that openconnect glues between the slash and the
// path, or in front of it, when the port is not 443.
func CleanPath(path string) string {
	rest := strings.TrimPrefix(path, "/")
	digits, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return path
	}
	file := strings.TrimLeft(digits, "0123456789")
	if len(file) == len(digits) {
		return path
	}
	return "/" + strings.TrimPrefix(file, "/")
}
