package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/webstore"
)

// browserStores are the ways in which a page keeps or reports something
// without a cookie of the registry.
var browserStores = regexp.MustCompile(`\b(localStorage|sessionStorage|indexedDB|sendBeacon|cookieStore|caches\.open|serviceWorker)\b`)

// cookieWrites are assignments to document.cookie: the prefs cookie is written
// and removed, in the words of lib/prefs.ts.
var cookieWrites = regexp.MustCompile(`document\.cookie\s*=\s*([^=\s]\S*)`)

// BrowserStores finds places in the console that keep something in the browser
// which the registry does not name, or that report in the background (clause
// LT-2.1).
func BrowserStores(tree fs.FS) ([]Violation, error) {
	var found []Violation
	registered := webstore.Get().Storage
	err := fs.WalkDir(tree, "console/src", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(".ts.tsx.html", path.Ext(name)) || strings.HasSuffix(name, ".d.ts") {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, m := range browserStores.FindAllString(line, -1) {
				if !namesKey(line, registered) {
					found = append(found, violation(fmt.Sprintf("%s:%d", name, i+1), "%s keeps or reports what no registry names", m))
				}
			}
			for _, m := range cookieWrites.FindAllStringSubmatch(line, -1) {
				if !strings.HasPrefix(m[1], "prefsCookie(") && m[1] != "noPrefs;" {
					found = append(found, violation(fmt.Sprintf("%s:%d", name, i+1), "document.cookie = %s: only the prefs cookie is the page's", m[1]))
				}
			}
		}
		return nil
	})
	return found, err
}

func namesKey(line string, registered []webstore.StorageKey) bool {
	for _, k := range registered {
		if strings.Contains(line, "'"+k.Key+"'") {
			return true
		}
	}
	return false
}
