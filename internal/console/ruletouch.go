package console

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stillcast/stillcast"
)

// maxTouched is how many live streams are shown that a change would touch.
const maxTouched = 100

// touched is a live stream for which a change makes a difference.
type touched struct {
	Stream  stillcast.Stream
	Changes []difference
}

// difference is one, in words.
type difference struct {
	Label, Before, After string
}

// touch shows the live streams that a change would touch: the first of them, and how
// many there are.
func (d *formData) touch(all []touched) {
	d.Asked, d.Touched, d.Live = true, all[:min(len(all), maxTouched)], len(all)
}

// touches returns the live streams that are captured, or told about, in another way
// after a change than before it.
func (v *view) touches(k kind, before, after *stillcast.Resources) []touched {
	var all []touched
	for _, p := range v.opts.Rules.Live() {
		var changes []difference
		switch k.name {
		case "domain":
			changes = v.domainDifferences(p, before, after)
		case "snapshot-template", "snapshot-rule":
			changes = v.snapshotDifferences(p, before, after)
		default:
			changes = v.callbackDifferences(p, before, after)
		}
		if len(changes) > 0 {
			all = append(all, touched{p.Stream, changes})
		}
	}
	slices.SortFunc(all, func(a, b touched) int { return cmp.Compare(a.Stream.String(), b.Stream.String()) })
	return all
}

// domainDifferences: pushes of a domain that is deleted or disabled end. Its keys
// are asked for when a push begins, so that those that are live go on.
func (v *view) domainDifferences(p stillcast.Push, before, after *stillcast.Resources) []difference {
	if !takesPushes(before, p.Domain) || takesPushes(after, p.Domain) {
		return nil
	}
	return []difference{{v.words.texts["rules.push"], v.words.texts["rules.push_live"], v.words.texts["rules.push_ends"]}}
}

func takesPushes(r *stillcast.Resources, name string) bool {
	return slices.ContainsFunc(r.Domains(), func(d stillcast.Domain) bool { return d.Name == name && !d.Disabled })
}

func (v *view) snapshotDifferences(p stillcast.Push, before, after *stillcast.Resources) []difference {
	was, had := before.SnapshotTemplate(p.Domain, p.Stream)
	is, has := after.SnapshotTemplate(p.Domain, p.Stream)
	nothing := v.words.texts["rules.not_captured"]
	all := v.differences(snapshotTemplateKind(), inForce{had, was.ID, snapshotValues(was)}, inForce{has, is.ID, snapshotValues(is)}, nothing)
	for _, task := range v.opts.Rules.TasksOf(p) {
		was, had := before.SnapshotTemplateByID(task.TemplateID)
		is, has := after.SnapshotTemplateByID(task.TemplateID)
		for _, d := range v.differences(snapshotTemplateKind(), inForce{had, was.ID, snapshotValues(was)}, inForce{has, is.ID, snapshotValues(is)}, nothing) {
			d.Label = v.words.texts["rules.task"] + " " + task.ID + ": " + d.Label
			all = append(all, d)
		}
	}
	return all
}

func (v *view) callbackDifferences(p stillcast.Push, before, after *stillcast.Resources) []difference {
	was, had := before.CallbackTemplate(p.Domain, p.Stream)
	is, has := after.CallbackTemplate(p.Domain, p.Stream)
	nothing := v.words.texts["rules.not_told"]
	return v.differences(callbackTemplateKind(), inForce{had, was.ID, callbackValues(was)}, inForce{has, is.ID, callbackValues(is)}, nothing)
}

// inForce is the template in force for a stream, if there is one.
type inForce struct {
	is     bool
	id     int64
	values values
}

func (v *view) differences(k kind, was, is inForce, nothing string) (all []difference) {
	name := func(s inForce) string {
		if s.is {
			return s.values["TemplateName"]
		}
		return nothing
	}
	if was.is != is.is || was.is && was.id != is.id {
		all = append(all, difference{v.words.texts["rules.template"], name(was), name(is)})
	}
	if !was.is || !is.is {
		return all
	}
	for _, f := range k.fields {
		before, after := was.values[f.Name], is.values[f.Name]
		if f.text || before == after {
			continue
		}
		d := difference{v.labelOf(f), v.wordsOf(f, before), v.wordsOf(f, after)}
		if f.Control == controlSecret {
			d.Before, d.After = secretWord(before), secretWord(after)
			if d.Before == d.After {
				d.After = v.words.texts["rules.another"]
			}
		}
		all = append(all, d)
	}
	return all
}

func secretWord(value string) string {
	if value == "" {
		return "–"
	}
	return "••••"
}

// hideQueries hides from viewers what may be secret in callback URLs.
func hideQueries(fields []shownField) {
	for i, f := range fields {
		if strings.HasSuffix(f.Name, "NotifyUrl") {
			fields[i].Value = hideQuery(f.Value)
		}
	}
}

func hideQuery(url string) string {
	before, _, has := strings.Cut(url, "?")
	if !has {
		return url
	}
	return before + "?…"
}
