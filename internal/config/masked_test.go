package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
)

// fill sets every secret within v, and gives every list an element, and returns
// what it set.
func fill(v reflect.Value, path string) (secrets []string) {
	if v.Type() == reflect.TypeFor[stillcast.Secret]() {
		secret := "hush-" + path
		v.SetString(secret)
		return []string{secret}
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				secrets = append(secrets, fill(v.Field(i), path+"."+f.Name)...)
			}
		}
	case reflect.Slice:
		if v.Len() == 0 && v.Type().Elem().Kind() == reflect.Struct {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			secrets = append(secrets, fill(v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case reflect.Pointer:
		if v.IsNil() && v.Type().Elem().Kind() == reflect.Struct {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() {
			secrets = append(secrets, fill(v.Elem(), path)...)
		}
	case reflect.Map:
		panic("a map: fill it, too")
	}
	return secrets
}

// No secret of any kind is in what people are shown of the configuration.
func TestMaskedHoldsNoSecret(t *testing.T) {
	c := Default()
	secrets := fill(reflect.ValueOf(&c).Elem(), "config")
	if len(secrets) < 8 {
		t.Fatalf("only %d secrets were found to fill: %q", len(secrets), secrets)
	}
	c.Resources.CallbackTemplates[0].SnapshotURL = "https://user:hush-password@hooks.example.com/shot?token=hush-query"
	c.Storage.PublicBase = "https://cdn.example.com/a?hush-base"
	c.Storage.S3.Endpoint = "http://hush-user@s3.example.com"
	shown, err := c.Masked()
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.Index(string(shown), "hush"); i >= 0 {
		t.Errorf("a secret is shown: …%s", shown[max(0, i-80):min(len(shown), i+60)])
	}
	for _, want := range []string{"https://<secret>@hooks.example.com/shot?<secret>", "http://<secret>@s3.example.com", "cdn.example.com/a?<secret>", "key: <secret>"} {
		if !strings.Contains(string(shown), want) {
			t.Errorf("%q is missing in:\n%s", want, shown)
		}
	}
}

// What is shown can be read again, and says of all settings that are no secrets
// what they are.
func TestMaskedIsTheConfiguration(t *testing.T) {
	c := Default()
	shown, err := c.Masked()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("shown", shown)
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	// As text, where a list without elements is one, however it was made.
	if got, want := fmt.Sprintf("%+v", *again), fmt.Sprintf("%+v", c); got != want {
		t.Errorf("shown:\n%s\nread again: %s\nwanted: %s", shown, got, want)
	}
}
