package openconnect

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"
)

func TestStaticFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, want string }{
		{"/1/binaries/update.txt", "0,0,0000\n"},
		{"/:8443/1/binaries/update.txt", "0,0,0000\n"},
		{":8443/1/binaries/update.txt", "0,0,0000\n"},
		{"/1/binaries/vpndownloader.sh", "#!/bin/sh\n\nexit 0"},
		{"/1/Linux_64", "<html></html>\n"},
	} {
		if got, err := StaticFile(c.path); err != nil || got.Body != c.want {
			t.Errorf("%s: got %q, %v", c.path, got.Body, err)
		}
	}
	for _, path := range []string{"", "/", "/logout", "/profiles/x.xml", "/1/binaries", "/:/1/Linux", "/1/Linux/../Linux"} {
		if _, err := StaticFile(path); !errors.Is(err, ErrNoFile) {
			t.Errorf("%s: got %v want ErrNoFile", path, err)
		}
	}
	for path, a := range staticFiles {
		if a.ContentType == "text/xml" && xml.Unmarshal([]byte(a.Body), new(struct{})) != nil {
			t.Errorf("%s is not XML", path)
		}
	}
}

func TestCleanPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/:8443/profiles/x.xml": "/profiles/x.xml",
		":8443/profiles/x.xml":  "/profiles/x.xml",
		"/:8443profiles/x.xml":  "/profiles/x.xml",
		"/profiles/x.xml":       "/profiles/x.xml",
		"/:x/profiles":          "/:x/profiles",
		"/a:8443/b":             "/a:8443/b",
		"/:8443":                "/",
		"":                      "",
	} {
		if got := CleanPath(path); got != want {
			t.Errorf("%q: got %q want %q", path, got, want)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	f.Add("/:8443/profiles/x.xml")
	f.Add(":1")
	f.Fuzz(func(t *testing.T, path string) {
		if got := CleanPath(path); got != path && (!strings.HasPrefix(got, "/") || len(got) >= len(path)) {
			t.Errorf("%q: got %q", path, got)
		}
	})
}
