// Package markdown renders Markdown for pages. Raw HTML is left out, links with a
// dangerous scheme lead nowhere, and what is written by others shows no pictures:
// the browser of whoever reads would ask for each, with their session.
package markdown

import (
	"bytes"
	"fmt"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

var (
	ours   = goldmark.New(goldmark.WithExtensions(extension.Table))
	others = goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough),
		goldmark.WithRendererOptions(html.WithHardWraps(), renderer.WithNodeRenderers(util.Prioritized(noPictures{}, 1))),
	)
)

// HTML renders a text of the program or the operator.
func HTML(text string) (string, error) { return render(ours, text) }

// Foreign renders what a customer or an outsider wrote: without pictures, and with
// the lines as they were typed.
func Foreign(text string) (string, error) { return render(others, text) }

func render(m goldmark.Markdown, text string) (string, error) {
	var out bytes.Buffer
	if err := m.Convert([]byte(text), &out); err != nil {
		return "", fmt.Errorf("rendering Markdown: %w", err)
	}
	return out.String(), nil
}

// noPictures writes the words that stand for a picture.
type noPictures struct{}

// RegisterFuncs fills renderer.NodeRenderer.
func (noPictures) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindImage, func(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) { return ast.WalkContinue, nil })
}
