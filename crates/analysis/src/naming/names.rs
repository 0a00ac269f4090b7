//! Names and keywords of clusters by class-based TF-IDF (Grootendorst 2022): a cluster counts as one long document.

use rustc_hash::{FxHashMap, FxHashSet};

use super::terms::Terms;

/// Keywords of a cluster.
const KEYWORDS: usize = 10;
/// Keywords that make a name.
const IN_NAME: usize = 3;
/// A word that this share of the documents of nearly all clusters have is boilerplate.
const BOILERPLATE: f64 = 0.8;

/// What a cluster is called whose documents share no words.
const WORDLESS: &str = "no common words";

/// The name of a cluster and the words it is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterName {
    /// Unique among all clusters.
    pub name: String,
    /// Strongest first, at most ten; none when the documents have no words.
    pub keywords: Vec<String>,
}

/// What is known about one stem.
#[derive(Default)]
struct Stem<'a> {
    /// How often each form occurs.
    forms: FxHashMap<&'a str, u64>,
    /// By cluster, ascending: damped count and number of documents.
    clusters: Vec<(usize, f64, u32)>,
}

/// Words of a cluster that are kept while its best are looked for.
const CANDIDATES: usize = 512;

/// Names clusters after their documents' words, and after them groups of clusters, given by their members' numbers.
///
/// The weight of a word in a cluster is `w(t, c) / |c| * ln(1 + a / w(t))`: `w(t, c)` sums `1 + ln(count)` over the
/// cluster's documents (so that one long document does not decide), `|c|` is the number of its documents, `w(t)` sums over clusters,
/// and `a` is the mean of the clusters' totals. Words in one document only are left out of clusters of four and more,
/// and so is boilerplate, words in nearly all documents of nearly all clusters.
///
/// A cluster whose name is `given` keeps it, and no other gets it.
pub fn name_clusters(
    clusters: &[Vec<&Terms>],
    groups: &[Vec<usize>],
    given: &[Option<String>],
) -> (Vec<ClusterName>, Vec<ClusterName>) {
    let stems = count(clusters);
    let k = clusters.len();
    let mut sizes: Vec<usize> = clusters.iter().map(Vec::len).collect();
    let mut groups_of: Vec<Vec<usize>> = (0..k).map(|cluster| vec![cluster]).collect();
    for (group, members) in groups.iter().enumerate() {
        sizes.push(members.iter().map(|&member| sizes[member]).sum());
        members.iter().for_each(|&member| groups_of[member].push(k + group));
    }
    let total: f64 = stems.values().flat_map(|stem| &stem.clusters).map(|&(_, weight, _)| weight).sum();
    let mean = total / k.max(1) as f64;
    let mut scored: Vec<Vec<(f64, &str)>> = vec![Vec::new(); sizes.len()];
    let mut sums = vec![(0.0, 0); sizes.len()];
    let mut touched = Vec::new();
    for stem in stems.values() {
        if is_boilerplate(stem, &sizes[..k]) {
            continue;
        }
        let everywhere: f64 = stem.clusters.iter().map(|&(_, weight, _)| weight).sum();
        let Some(form) = usual_form(stem) else { continue };
        for &(cluster, weight, documents) in &stem.clusters {
            for &group in &groups_of[cluster] {
                if sums[group].1 == 0 {
                    touched.push(group);
                }
                sums[group] = (sums[group].0 + weight, sums[group].1 + documents);
            }
        }
        for group in touched.drain(..) {
            let (weight, documents) = std::mem::take(&mut sums[group]);
            if documents > 1 || sizes[group] < 4 {
                let score = weight / sizes[group] as f64 * (mean / everywhere).ln_1p();
                scored[group].push((score, form));
                if scored[group].len() >= CANDIDATES {
                    best_first(&mut scored[group]);
                    scored[group].truncate(CANDIDATES / 2);
                }
            }
        }
    }
    let mut taken: FxHashSet<String> = given.iter().flatten().cloned().collect();
    let mut names: Vec<ClusterName> = scored
        .into_iter()
        .enumerate()
        .map(|(cluster, mut words)| {
            best_first(&mut words);
            let keywords: Vec<String> = words.iter().take(KEYWORDS).map(|&(_, word)| word.to_owned()).collect();
            let given = given.get(cluster).cloned().flatten();
            let name = given.unwrap_or_else(|| unique_name(&keywords, cluster, &mut taken));
            ClusterName { name, keywords }
        })
        .collect();
    let of_groups = names.split_off(k);
    (names, of_groups)
}

/// The highest scores first, then by alphabet; a form that two stems have is there once.
fn best_first(words: &mut Vec<(f64, &str)>) {
    words.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    words.dedup_by(|a, b| a.1 == b.1);
}

fn count<'a>(clusters: &[Vec<&'a Terms>]) -> FxHashMap<&'a str, Stem<'a>> {
    let mut stems: FxHashMap<&str, Stem<'_>> = FxHashMap::default();
    for (cluster, documents) in clusters.iter().enumerate() {
        for terms in documents {
            let mut of_document: Vec<(&str, u32)> = Vec::new();
            for (form, stem, count) in terms.iter() {
                *stems.entry(stem).or_default().forms.entry(form).or_default() += u64::from(count);
                match of_document.last_mut() {
                    Some((last, sum)) if *last == stem => *sum += count,
                    Some(_) | None => of_document.push((stem, count)),
                }
            }
            for (stem, count) in of_document {
                let Some(stem) = stems.get_mut(stem) else { continue };
                let weight = 1.0 + f64::from(count).ln();
                match stem.clusters.last_mut() {
                    Some((last, sum, documents)) if *last == cluster => {
                        *sum += weight;
                        *documents += 1;
                    }
                    Some(_) | None => stem.clusters.push((cluster, weight, 1)),
                }
            }
        }
    }
    stems
}

/// Whether most documents of all clusters but one have the word; never with fewer than three clusters.
fn is_boilerplate(stem: &Stem<'_>, sizes: &[usize]) -> bool {
    let full = stem
        .clusters
        .iter()
        .filter(|&&(cluster, _, documents)| f64::from(documents) >= BOILERPLATE * sizes[cluster] as f64);
    sizes.len() >= 3 && full.count() + 1 >= sizes.len()
}

/// The most frequent form; of several the shortest, then by alphabet.
fn usual_form<'a>(stem: &Stem<'a>) -> Option<&'a str> {
    let forms = stem.forms.iter().map(|(&form, &count)| (form, count));
    forms.min_by_key(|&(form, count)| (std::cmp::Reverse(count), form.len(), form)).map(|(form, _)| form)
}

/// The first words; more of them as long as the name is taken, and in the end a number.
fn unique_name(keywords: &[String], cluster: usize, taken: &mut FxHashSet<String>) -> String {
    let by_words = (IN_NAME..=keywords.len().max(IN_NAME)).map(|n| first(keywords, n));
    let numbers = if keywords.is_empty() { 2.. } else { cluster + 1.. };
    let by_number = numbers.map(|number| format!("{} {number}", first(keywords, IN_NAME)));
    let name = by_words.chain(by_number).find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(name.clone());
    name
}

/// The first `n` words as a name.
fn first(keywords: &[String], n: usize) -> String {
    match keywords {
        [] => WORDLESS.to_owned(),
        [..] => keywords[..n.min(keywords.len())].join(", "),
    }
}

/// Whether a cluster or group of these keywords could get a name that is not taken: if not, it is called the same whether that
/// name is taken or free.
pub fn may_be_called(keywords: &[String], name: &str) -> bool {
    let is_numbered = name.strip_prefix(&first(keywords, IN_NAME)).is_some_and(|rest| rest.starts_with(' '));
    is_numbered || (IN_NAME..=keywords.len().max(IN_NAME)).any(|n| first(keywords, n) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(clusters: &[&[&str]]) -> Vec<String> {
        let terms: Vec<Vec<Terms>> =
            clusters.iter().map(|texts| texts.iter().map(|text| Terms::of(text, Some("eng"))).collect()).collect();
        let borrowed: Vec<Vec<&Terms>> = terms.iter().map(|terms| terms.iter().collect()).collect();
        name_clusters(&borrowed, &[], &[]).0.into_iter().map(|name| name.name).collect()
    }

    #[test]
    fn a_group_is_named_after_what_its_clusters_share() {
        let texts = [
            ["football season striker", "football season goal"],
            ["tennis season racket", "tennis season serve"],
            ["budget parliament tax", "budget parliament vote"],
            ["violin concert bow", "violin concert string"],
        ];
        let terms: Vec<Vec<Terms>> =
            texts.iter().map(|texts| texts.iter().map(|text| Terms::of(text, Some("eng"))).collect()).collect();
        let borrowed: Vec<Vec<&Terms>> = terms.iter().map(|terms| terms.iter().collect()).collect();
        let (clusters, groups) = name_clusters(&borrowed, &[vec![0, 1]], &[]);
        assert_eq!((clusters.len(), groups.len()), (4, 1));
        assert_eq!(groups[0].keywords[0], "season", "{groups:?}");
    }

    #[test]
    fn names_tell_clusters_apart() {
        let found = names(&[
            &["The goalkeeper saved the match.", "A match without a goalkeeper."],
            &["Parliament debates the budget.", "The budget passed parliament."],
        ]);
        assert_eq!(found, ["goalkeeper, match, saved", "budget, parliament, debates"]);
    }

    #[test]
    fn names_are_unique_and_never_empty() {
        let check = |clusters: &[&[&str]]| {
            let found = names(clusters);
            let distinct: FxHashSet<&String> = found.iter().collect();
            assert!(distinct.len() == clusters.len() && found.iter().all(|name| !name.is_empty()), "{found:?}");
        };
        check(&[&["same words here"], &["same words here"], &["same words here"]]);
        check(&[&[""], &["1 2 3"], &[]]);
        check(&[&["no common words 2"], &[""], &["4 5 6"]]);
    }

    #[test]
    fn all_names_that_words_can_give_are_known() {
        for keywords in [&["apple", "pear", "plum", "quince", "fig"][..], &["apple"], &[]] {
            let keywords: Vec<String> = keywords.iter().map(|&word| word.to_owned()).collect();
            let mut taken = FxHashSet::default();
            for _ in 0..8 {
                let name = unique_name(&keywords, 3, &mut taken);
                assert!(may_be_called(&keywords, &name), "{name} of {keywords:?}");
            }
            assert!(!may_be_called(&keywords, "Fruit, green") && !may_be_called(&keywords, "clusters"));
        }
    }

    #[test]
    fn a_given_name_is_kept_and_no_other_gets_it() {
        let texts = ["apple pear plum", "apple pear plum", "", "river stone cloud"];
        let terms: Vec<Terms> = texts.iter().map(|text| Terms::of(text, Some("eng"))).collect();
        let clusters: Vec<Vec<&Terms>> = terms.iter().map(|terms| vec![terms]).collect();
        let given = [None, Some("apple, pear, plum".to_owned()), Some("no common words".to_owned())];
        let (found, _) = name_clusters(&clusters, &[], &given);
        let names: Vec<&str> = found.iter().take(3).map(|name| name.name.as_str()).collect();
        assert_eq!(names, ["apple, pear, plum 1", "apple, pear, plum", "no common words"]);
        assert_eq!(found[1].keywords, ["apple", "pear", "plum"], "words are those of the documents");
        let (found, _) = name_clusters(&clusters[2..3], &[], &[]);
        assert_eq!(found[0].name, "no common words");
    }
}
