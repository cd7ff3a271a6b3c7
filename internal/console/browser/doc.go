// Package browser looks at the console of a real server in a real Chromium, as
// people do: real pushes on the wall, keyboard, small screens, both languages, and
// what a checker of accessibility finds. It has tests only.
package browser
