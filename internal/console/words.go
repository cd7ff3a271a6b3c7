package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/text/language"
)

//go:embed words
var wordFiles embed.FS

// words are the texts of the console in one language, by key. Texts are formats
// of package fmt. Those whose key begins with "js." are for scripts, too, and
// those of "done." for [view.redirectDone].
type words struct {
	tag     string // BCP 47
	texts   map[string]string
	scripts map[string]string
}

// Tag is what the lang attribute says.
func (w *words) Tag() string { return w.tag }

// Name is what the language is called in itself.
func (w *words) Name() string { return w.texts["language.name"] }

// readWords returns the languages, English first. The words of one are in as many
// files as people found handy: all whose names begin with that of the language.
func readWords() ([]*words, error) {
	var all []*words
	for _, l := range []struct{ tag, files string }{{"en", "words/en*.json"}, {"zh-CN", "words/zh*.json"}} {
		w := &words{tag: l.tag, texts: make(map[string]string), scripts: make(map[string]string)}
		names, err := fs.Glob(wordFiles, l.files)
		for _, name := range names {
			if err = w.add(name); err != nil {
				break
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read the console's words: %w", err)
		}
		all = append(all, w)
	}
	return all, nil
}

func (w *words) add(name string) error {
	raw, err := wordFiles.ReadFile(name)
	if err != nil {
		return err
	}
	texts := make(map[string]string)
	if err := json.Unmarshal(raw, &texts); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for key, text := range texts {
		if _, ok := w.texts[key]; ok {
			return fmt.Errorf("%s: the key %q is in another file, too", name, key)
		}
		w.texts[key] = text
		if strings.HasPrefix(key, "js.") {
			w.scripts[key] = text
		}
	}
	return nil
}

// text returns a text with its arguments. A key that there is not is an error,
// which fails the page: the tests render every page in every language.
func (w *words) text(key string, args ...any) (string, error) {
	format, ok := w.texts[key]
	switch {
	case !ok:
		return "", fmt.Errorf("the console has no words %q in %s", key, w.tag)
	case len(args) == 0:
		return format, nil
	}
	return fmt.Sprintf(format, args...), nil
}

// language returns the language that a viewer chose, or that the browser asks for.
func (p *pages) language(v *view) *words {
	tags := make([]language.Tag, len(p.languages))
	for i, w := range p.languages {
		tags[i] = language.Make(w.tag)
	}
	_, i := language.MatchStrings(language.NewMatcher(tags), v.cookie(languageCookie), v.r.Header.Get("Accept-Language"))
	return p.languages[i]
}
