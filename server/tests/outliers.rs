//! What fits nowhere, through the built binary: listed with what it comes nearest to, the oddest first.

mod support;

use serde_json::Value;
use support::{Server, files, pile};

/// Texts that have nothing to do with the pile, nor with each other.
const ODD: [(&str, &str); 4] = [
    (
        "odd/patent.txt",
        "A hinge assembly comprising a first leaf, a second leaf and a torsion spring, wherein the spring biases the leaves towards \
         each other, and a damper filled with silicone oil slows the movement. The claims cover the cam and its follower.",
    ),
    (
        "odd/chess.txt",
        "White opens with the queen's gambit; black declines, castles early and trades both bishops. In the endgame the passed pawn \
         on the d file decides, since the rook stands behind it and the king cannot approach in time.",
    ),
    (
        "odd/law.txt",
        "The lessee shall return the premises in tenantable condition, ordinary wear excepted, and shall indemnify the lessor against \
         claims of third parties. Arrears of rent bear interest at five per cent above the base rate of the central bank.",
    ),
    (
        "odd/opera.txt",
        "The soprano withdrew before the premiere, so the understudy sang the aria from the wings while the mezzo mimed. The \
         conductor slowed the tempo, the chorus lost its entry, and the critics praised only the costumes.",
    ),
];

#[tokio::test]
async fn outliers_are_listed_with_what_they_come_nearest_to() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let odd = ODD.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let sent: Vec<_> = files(&pile()).into_iter().chain(odd).collect();
    let (_, batch) = server.upload(&[("model", "fast")], &sent).await;
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    let (_, table) = server.get(&format!("/api/batches/{id}/documents?cluster=outliers&limit=500")).await;
    let (status, outliers) = server.get(&format!("/api/batches/{id}/outliers")).await;
    assert_eq!(status, 200, "{outliers}");
    let total = table["total"].as_u64().expect("a number");
    assert!(total >= 2, "the odd texts fit nowhere: {table}");
    assert_eq!(outliers["total"].as_u64(), Some(total));
    let items = outliers["items"].as_array().expect("rows");
    let paths = |rows: &[Value], path: &dyn Fn(&Value) -> String| {
        let mut paths: Vec<String> = rows.iter().map(path).collect();
        paths.sort();
        paths
    };
    let listed = paths(table["items"].as_array().expect("rows"), &|row| row["path"].to_string());
    assert_eq!(paths(items, &|row| row["document"]["path"].to_string()), listed);
    let similarities: Vec<f64> =
        items.iter().map(|row| row["nearest"]["similarity"].as_f64().expect("a number")).collect();
    assert!(similarities.is_sorted(), "the oddest come first: {similarities:?}");

    // The cluster that is named is the one of the clusters, and the neighbour that of the document's page.
    let (_, clusters) = server.get(&format!("/api/batches/{id}/clusters")).await;
    for row in items {
        let nearest = &row["nearest"];
        let named = clusters.as_array().expect("clusters").iter().find(|cluster| cluster["id"] == nearest["cluster"]);
        assert_eq!(named.map(|cluster| &cluster["name"]), Some(&nearest["name"]));
        let document = row["document"]["id"].as_str().expect("an id");
        let (_, page) = server.get(&format!("/api/batches/{id}/documents/{document}")).await;
        assert_eq!(page["neighbours"][0], row["neighbour"]);
    }

    let (_, first) = server.get(&format!("/api/batches/{id}/outliers?limit=1")).await;
    assert_eq!((&first["items"][0], &first["next_cursor"]), (&items[0], &Value::from("1")));
    let (_, second) = server.get(&format!("/api/batches/{id}/outliers?limit=1&cursor=1")).await;
    assert_eq!(second["items"][0], items[1]);

    // The page, linked from the figures, says the same without a script.
    let (_, overview) = server.text(&format!("/batches/{id}")).await;
    assert!(overview.contains(&format!("href=\"/batches/{id}/outliers\"")));
    let (_, page) = server.text(&format!("/batches/{id}/outliers")).await;
    assert_eq!(page.matches("data-testid=\"outlier\"").count() as u64, total);
    let (status, _) = server.get("/api/batches/01900000-0000-7000-8000-000000000000/outliers").await;
    assert_eq!(status, 404);
}
