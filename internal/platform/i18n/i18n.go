// Package i18n holds the sentences that people read, in zh-CN and English.
//
// One YAML file per module and language maps a code, which is also the error
// code of package errs, to a sentence with {parameters}. Both languages have
// the same codes; a test holds them to it. A code without a sentence is shown
// as the code itself, never as an empty text.
package i18n

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed zh-CN/*.yaml en/*.yaml
var files embed.FS

// Language is a language of the product.
type Language string

// Languages. Chinese is authoritative for legal documents.
const (
	Chinese Language = "zh-CN"
	English Language = "en"
)

// Languages lists all of them, the default first.
var Languages = []Language{Chinese, English}

var catalogs = sync.OnceValue(func() map[Language]map[string]string {
	all, err := load(files)
	if err != nil {
		panic(err) // the files are part of the program; a test reads them
	}
	return all
})

func load(from fs.FS) (map[Language]map[string]string, error) {
	all := map[Language]map[string]string{}
	for _, lang := range Languages {
		all[lang] = map[string]string{}
		names, err := fs.Glob(from, path.Join(string(lang), "*.yaml"))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := merge(from, name, all[lang]); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func merge(from fs.FS, name string, into map[string]string) error {
	text, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	var sentences map[string]string
	if err := yaml.Unmarshal(text, &sentences); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	for code, sentence := range sentences {
		if _, twice := into[code]; twice {
			return fmt.Errorf("%s: %s is translated twice", name, code)
		}
		into[code] = sentence
	}
	return nil
}

// Text returns the sentence of a code in a language, its {parameters} filled.
func Text(lang Language, code string, params map[string]any) string {
	sentence, ok := catalogs()[lang][code]
	if !ok {
		return code
	}
	for name, value := range params {
		sentence = strings.ReplaceAll(sentence, "{"+name+"}", fmt.Sprint(value))
	}
	return sentence
}

// Codes lists what a language translates, for tests.
func Codes(lang Language) map[string]string { return catalogs()[lang] }

// Match picks the language for an Accept-Language header or a stored
// preference: English if it is named first, else Chinese.
func Match(header string) Language {
	for _, part := range strings.Split(header, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch {
		case strings.HasPrefix(strings.ToLower(tag), "zh"):
			return Chinese
		case strings.HasPrefix(strings.ToLower(tag), "en"):
			return English
		}
	}
	return Chinese
}
