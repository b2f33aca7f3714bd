package dataknobs

import (
	"encoding"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A Size is a number of bytes as a setting: its text is 4096, 64KiB or 1GB.
type Size int64

// String returns the size with the largest binary unit that divides it, such
// as 64KiB, which reads back as the same size.
func (s Size) String() string {
	for i, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if n := int64(1) << (40 - 10*i); s != 0 && int64(s)%n == 0 {
			return strconv.FormatInt(int64(s)/n, 10) + unit
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// A Secret is a setting that nobody may see: however it is printed, logged or
// written as JSON or YAML, it is ***. string(s) is the secret itself.
type Secret string

const hidden = "***"

// String returns ***.
func (Secret) String() string { return hidden }

// Format prints ***, whatever the verb.
func (Secret) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(hidden)) }

// MarshalText returns ***.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns ***.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

var (
	_ encoding.TextMarshaler = Secret("")
	_ slog.LogValuer         = Secret("")
)

// OptionsOf lists the options that the fields of a struct declare, in their
// order. Fields of an embedded struct stand where it is embedded, so that
// backends can share some. Each other field is one option, which its tags
// describe:
//
//	option:"pool.max"   its name; required
//	doc:"…"             one sentence; required
//	default:"4"         its default as text
//	enum:"a b c"        the texts that it may have, of a string field
//	min:"1" max:"99"    its bounds, of a number, size or duration
//	required:"true"     a store cannot be opened without it
//	location:"true"     the location in the store's URL says the same
//
// The field's type is its kind: string, bool, int, int64, float64, [Size],
// time.Duration, []int64 for one or several numbers, []string or []Path for a list, []Pair for a map, and [Secret] for
// a text that is never shown. It panics if a tag or a type is wrong, which is a
// programmer's mistake.
func OptionsOf(settings any) []OptionInfo {
	t := reflect.TypeOf(settings)
	if t == nil || t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("dataknobs: settings are a struct, not %T", settings))
	}
	options := structOptions(t)
	checkDeclared(t.String(), options)
	return options
}

func structOptions(t reflect.Type) []OptionInfo {
	var options []OptionInfo
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			options = append(options, structOptions(f.Type)...)
			continue
		}
		o, err := fieldOption(f)
		if err != nil {
			panic(fmt.Sprintf("dataknobs: settings %s: field %s: %v", t, f.Name, err))
		}
		options = append(options, o)
	}
	return options
}

// fieldOption reads the tags of one field.
func fieldOption(f reflect.StructField) (OptionInfo, error) {
	kind, ok := kindOfField(f.Type)
	tag := f.Tag.Get
	o := OptionInfo{
		Name: tag("option"), Kind: kind, Default: tag("default"), Doc: tag("doc"), Min: tag("min"), Max: tag("max"),
		Secret: f.Type == secretType, Required: tag("required") == "true", Location: tag("location") == "true",
	}
	enum, isEnum := f.Tag.Lookup("enum")
	if isEnum {
		o.Kind, o.Enum = OptionEnum, strings.Fields(enum)
	}
	switch {
	case !f.IsExported():
		return o, Errorf(InvalidArgument, "it is not exported")
	case !ok:
		return o, Errorf(InvalidArgument, "there is no option of type %s", f.Type)
	case o.Doc == "":
		return o, Errorf(InvalidArgument, "it has no doc")
	case isEnum && (kind != OptionString || o.Secret || len(o.Enum) == 0):
		return o, Errorf(InvalidArgument, "an enum is of a string and has words")
	}
	return o, nil
}

var (
	secretType   = reflect.TypeFor[Secret]()
	sizeType     = reflect.TypeFor[Size]()
	durationType = reflect.TypeFor[time.Duration]()
	pairsType    = reflect.TypeFor[[]Pair]()
	intsType     = reflect.TypeFor[[]int64]()
	wordsType    = reflect.TypeFor[[]string]()
	pathsType    = reflect.TypeFor[[]Path]()
)

// kindOfField says what kind of option a field of that type is.
func kindOfField(t reflect.Type) (OptionKind, bool) {
	switch t {
	case sizeType:
		return OptionSize, true
	case durationType:
		return OptionDuration, true
	case pairsType:
		return OptionMap, true
	case intsType:
		return OptionInts, true
	case wordsType, pathsType:
		return OptionList, true
	}
	switch t.Kind() {
	case reflect.String:
		return OptionString, true
	case reflect.Bool:
		return OptionBool, true
	case reflect.Int, reflect.Int64:
		return OptionInt, true
	case reflect.Float64:
		return OptionFloat, true
	}
	return 0, false
}

// checkDeclared panics unless the options are well declared.
func checkDeclared(whose string, options []OptionInfo) {
	seen := map[string]bool{}
	for i := range options {
		o := &options[i]
		if o.Name == "" || seen[o.Name] {
			panic(fmt.Sprintf("dataknobs: %s: the option name %q is empty or stands twice", whose, o.Name))
		}
		seen[o.Name] = true
		if err := o.checkDeclared(); err != nil {
			panic(fmt.Sprintf("dataknobs: %s: %v", whose, err))
		}
	}
}

func (o *OptionInfo) checkDeclared() error {
	for what, text := range map[string]string{"least": o.Min, "most": o.Max} {
		if text == "" {
			continue
		}
		if _, ok := o.measure(text); !ok {
			return Errorf(InvalidArgument, "the %s of option %s is %q", what, o.Name, text)
		}
	}
	if o.Default == "" {
		return nil
	}
	if o.Secret {
		return Errorf(InvalidArgument, "the secret option %s has a default", o.Name)
	}
	if err := o.check(o.Default); err != nil {
		return Errorf(InvalidArgument, "the default: %w", err)
	}
	return nil
}

// Decode fills in the struct that settings points to: each field gets its
// option's value, or the option's default, or its zero value. It fails with
// InvalidArgument where a required option is missing or a path is none. It panics if settings is
// no pointer to a struct as [OptionsOf] reads it, or declares an option that the
// backend does not.
func (c *Config) Decode(settings any) error {
	v := reflect.ValueOf(settings)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("dataknobs: settings are decoded into a pointer to a struct, not %T", settings))
	}
	for i := range c.Backend.Options {
		o := &c.Backend.Options[i]
		if o.Required && c.String(o.Name) == "" {
			return missingOption(c.Backend, o)
		}
	}
	return c.decode(v.Elem())
}

func missingOption(b *Backend, o *OptionInfo) error {
	err := Errorf(InvalidArgument, "the option %s is missing, which a %s store needs", o.Name, b.Name)
	if o.Location {
		return err.WithHint("write %s:%s, or give the option %s: %s", b.Name, strings.ToUpper(o.Name), o.Name, o.Doc)
	}
	return err.WithHint("%s: %s", o.Name, o.Doc)
}

func (c *Config) decode(v reflect.Value) error {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		var err error
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			err = c.decode(v.Field(i))
		} else {
			err = c.decodeField(v.Field(i), f.Tag.Get("option"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) decodeField(v reflect.Value, name string) error {
	var err error
	switch into := v.Addr().Interface().(type) {
	case *Size:
		*into = Size(c.Size(name))
	case *time.Duration:
		*into = c.Duration(name)
	case *[]Pair:
		*into = c.Map(name)
	case *[]int64:
		*into = c.Ints(name)
	case *[]string:
		*into = c.List(name)
	case *[]Path:
		*into, err = c.Paths(name)
	default:
		c.decodeBasic(v, name)
	}
	return err
}

func (c *Config) decodeBasic(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(c.String(name))
	case reflect.Bool:
		v.SetBool(c.Bool(name))
	case reflect.Int, reflect.Int64:
		v.SetInt(c.Int(name))
	case reflect.Float64:
		v.SetFloat(c.Float(name))
	}
}
