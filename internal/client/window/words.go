package window

import (
	"embed"
	"fmt"
	"os"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// The window's languages.
const (
	Chinese = "zh-CN"
	English = "en"
)

//go:embed words/*.yaml
var wordFiles embed.FS

// catalogs are the words by language; both have the same keys.
var catalogs = sync.OnceValue(func() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, language := range []string{Chinese, English} {
		words := map[string]string{}
		b, err := wordFiles.ReadFile("words/" + language + ".yaml")
		if err == nil {
			err = yaml.Unmarshal(b, &words)
		}
		if err != nil {
			panic(fmt.Errorf("the words of %s: %w", language, err)) // they are part of the program; a test reads them
		}
		all[language] = words
	}
	return all
})

// say is the sentence of a key in the window's language, its {parameters} filled
// in from name and value by turns. A key without a sentence is shown as it is.
func (u *UI) say(key string, pairs ...string) string {
	s, ok := catalogs()[u.language()][key]
	if !ok {
		return key
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, "{"+pairs[i]+"}", pairs[i+1])
	}
	return s
}

// language is the one chosen, else the system's, else English.
func (u *UI) language() string {
	if !u.chinese {
		return English
	}
	if l := u.settings.Language; l == Chinese || l == English {
		return l
	}
	return u.system
}

// SystemLanguage is what the environment asks for.
func SystemLanguage() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return Chinese
			}
			return English
		}
	}
	return English
}
