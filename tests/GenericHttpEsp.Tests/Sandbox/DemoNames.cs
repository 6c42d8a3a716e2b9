namespace GenericHttpEsp.Tests.Sandbox;

/// <summary>Common names of a language area. A name in another script carries its Latin form behind a slash, for the address.</summary>
internal sealed record DemoNames(string Language, string TimeZone, string City, string Given, string Family)
{
    public static readonly IReadOnlyList<DemoNames> All =
    [
        new("en", "America/New_York", "Boston", "James Mary Robert Patricia Michael Jennifer William Linda David Elizabeth Susan Joseph", "Smith Johnson O'Brien Brown Jones Miller Davis Wilson Anderson Taylor McDonald Smith-Jones"),
        new("en", "Europe/London", "Leeds", "Oliver Amelia Harry Isla George Ava Arthur Freya Alfie Poppy Siân Niamh", "Evans Hughes Walker Wright O'Neill Clarke Hall Green Ap-Rhys Baker D'Arcy Fitzgerald"),
        new("de", "Europe/Berlin", "Köln", "Jürgen Sabine Günther Käthe Jörg Ursula Björn Heike Lukas Anke Matthias Anneliese", "Müller Schmidt Schneider Weiß Größmann Schäfer König Hoffmann Krüger Jäger Vogel Böhm"),
        new("fr", "Europe/Paris", "Besançon", "François Hélène René Chloé Jérôme Zoé Loïc Anaïs Noël Maëlle Benoît Léa", "Dubois Lefèvre Moreau Girard Lécuyer D'Aubigné Garçon Fournier Hervé Rousseau Blanc Béranger"),
        new("es", "Europe/Madrid", "Cádiz", "José María Íñigo Lucía Andrés Begoña Ángel Inés Nuño Pilar Joaquín Sofía", "García Fernández Muñoz Núñez Ibáñez Peña Gutiérrez Ortiz Castaño López Domínguez Vázquez"),
        new("es", "America/Mexico_City", "Mérida", "Diego Ximena Luis Guadalupe Raúl Valentina Óscar Renata Héctor Itzel Martín Regina", "Hernández Martínez Ramírez Cruz Flores Gómez Treviño Mendoza Ruiz Aguilar Chávez Zúñiga"),
        new("pt", "America/Sao_Paulo", "São Luís", "João Conceição Antônio Márcia Sebastião Luíza Caio Letícia Davi Thaís Estêvão Inês", "Silva Gonçalves Araújo Conceição Magalhães Simões Brandão Assunção Ribeiro Leão Falcão Nóbrega"),
        new("it", "Europe/Rome", "L'Aquila", "Niccolò Giulia Matteo Chiara Nicolò Beatrice Luca Alessia Davide Noemi Pietro Lucia", "Rossi D'Angelo Bianchi Dell'Acqua Ricci Nicolò Greco De-Luca Conti Mancini Costa Lo-Presti"),
        new("pl", "Europe/Warsaw", "Łódź", "Łukasz Małgorzata Paweł Żaneta Stanisław Świętosława Michał Grażyna Błażej Agnieszka Józef Róża", "Wiśniewski Wójcik Kowalczyk Żółkiewski Szymański Dąbrowski Źrebiec Kozłowski Jabłoński Gołąb Sikora Pietrzak"),
        new("cs", "Europe/Prague", "Plzeň", "Jiří Tereza Ondřej Ludmila Tomáš Markéta Řehoř Kateřina Václav Božena Zdeněk Žofie", "Novák Dvořák Černý Procházka Kučera Veselý Růžička Šťastný Němec Pokorný Říha Beneš"),
        new("tr", "Europe/Istanbul", "İzmir", "Çağla Mehmet Işıl Ömer Şebnem İbrahim Gülşen Oğuz Ayşe Ümit Tuğba Emre", "Yılmaz Çelik Şahin Yıldız Öztürk Aydın Özdemir Arslan Doğan Kılıç Güneş Çetin"),
        new("sv", "Europe/Stockholm", "Malmö", "Åsa Björn Märta Göran Örjan Linnéa Håkan Elsa Sören Ingrid Pär Åke", "Andersson Lindström Åkerlund Sjöberg Öberg Nordström Hägg Bergström Lövgren Ek Wåhlin Dahl"),
        new("fi", "Europe/Helsinki", "Jyväskylä", "Päivi Jyrki Säde Väinö Tuuli Yrjö Aino Eero Äänekoski Hilkka Pentti Kyösti", "Mäkinen Hämäläinen Järvinen Nieminen Räsänen Öhman Kärkkäinen Laine Häkkinen Väisänen Salo Yli-Pää"),
        new("is", "Atlantic/Reykjavik", "Akureyri", "Þór Guðrún Ægir Ásdís Örn Sigríður Björk Halldór Ólöf Snæfríður Jón Þóra", "Þórsson Guðmundsdóttir Ægisson Sigurðardóttir Björnsson Ásgeirsdóttir Jónsson Einarsdóttir Óskarsson Hauksdóttir Magnússon Pálsdóttir"),
        new("vi", "Asia/Ho_Chi_Minh", "Huế", "Nguyệt Đức Hương Tuấn Thảo Quốc Phượng Dũng Ánh Vũ Hằng Bảo", "Nguyễn Trần Lê Phạm Hoàng Võ Đặng Bùi Đỗ Hồ Ngô Dương"),
        new("yo", "Africa/Lagos", "Ìbàdàn", "Olúwaṣeun Fọlákẹ́ Adébáyọ̀ Ṣadé Táíwò Kẹ́hìndé Babátúndé Títílayọ̀ Ayọ̀ Ngozi Chinedu Ifeoma", "Adéyẹmí Okonkwo Ọlátúnjí Balógun Eze Adébísí Okafor Ògúnlẹ́sí Nwosu Bákàrè Ṣóyínká Abiọ́lá"),
        new("el", "Europe/Athens", "Αθήνα", "Γιώργος/giorgos Ελένη/eleni Νίκος/nikos Μαρία/maria Ιωάννα/ioanna Κώστας/kostas Σοφία/sofia Άγγελος/angelos", "Παπαδόπουλος/papadopoulos Γεωργίου/georgiou Νικολάου/nikolaou Αντωνίου/antoniou Ιωάννου/ioannou Βασιλείου/vasileiou"),
        new("ru", "Europe/Moscow", "Екатеринбург", "Алексей/alexey Ольга/olga Дмитрий/dmitry Наталья/natalya Фёдор/fyodor Юлия/yulia Сергей/sergey Ксения/ksenia", "Иванов/ivanov Кузнецова/kuznetsova Соловьёв/solovyov Щербакова/shcherbakova Попов/popov Жукова/zhukova"),
        new("uk", "Europe/Kyiv", "Київ", "Олександр/oleksandr Ганна/hanna Їжакевич/yizhak Світлана/svitlana Євген/yevhen Оксана/oksana Ігор/ihor Соломія/solomiia", "Шевченко/shevchenko Коваленко/kovalenko Мельник/melnyk Ґудзь/gudz Бойко/boiko Ткаченко/tkachenko"),
        new("ar", "Africa/Cairo", "القاهرة", "محمد/mohamed فاطمة/fatima أحمد/ahmed عائشة/aisha يوسف/youssef مريم/mariam عمر/omar نور/nour", "الحسن/elhassan إبراهيم/ibrahim عبدالله/abdallah السيد/elsayed منصور/mansour خليل/khalil"),
        new("fa", "Asia/Tehran", "تهران", "رضا/reza زهرا/zahra امیر/amir پریسا/parisa کاوه/kaveh شیرین/shirin آرش/arash گلناز/golnaz", "احمدی/ahmadi کریمی/karimi رضایی/rezaei محمدی/mohammadi تهرانی/tehrani جعفری/jafari"),
        new("he", "Asia/Jerusalem", "ירושלים", "דוד/david שרה/sarah יוסי/yossi רחל/rachel נועם/noam תמר/tamar איתי/itai מיכל/michal", "כהן/cohen לוי/levi מזרחי/mizrahi פרץ/peretz ביטון/biton אברהם/avraham"),
        new("hi", "Asia/Kolkata", "मुंबई", "आरव/aarav प्रिया/priya विवेक/vivek अंजलि/anjali राहुल/rahul दीपा/deepa संजय/sanjay कविता/kavita", "शर्मा/sharma पटेल/patel सिंह/singh गुप्ता/gupta वर्मा/verma अय्यर/iyer"),
        new("th", "Asia/Bangkok", "กรุงเทพ", "สมชาย/somchai สุดา/suda อนันต์/anan มาลี/malee ประเสริฐ/prasert วันดี/wandee กิตติ/kitti นภา/napha", "ใจดี/jaidee แสงทอง/saengthong ศรีสุข/srisuk บุญมี/boonmee ทองดี/thongdee วงศ์ใหญ่/wongyai"),
        new("zh", "Asia/Shanghai", "上海", "伟/wei 芳/fang 秀英/xiuying 敏/min 静/jing 强/qiang 丽/li 娜/na", "王/wang 李/li 张/zhang 刘/liu 陈/chen 欧阳/ouyang"),
        new("ja", "Asia/Tokyo", "東京", "翔太/shota 陽菜/hina 大輔/daisuke 美咲/misaki 健太/kenta さくら/sakura 直樹/naoki ゆうこ/yuko", "佐藤/sato 鈴木/suzuki 髙橋/takahashi 渡邊/watanabe 小林/kobayashi 山﨑/yamazaki"),
        new("ko", "Asia/Seoul", "서울", "민준/minjun 서연/seoyeon 지훈/jihun 하윤/hayun 도현/dohyun 은지/eunji 성민/sungmin 수빈/subin", "김/kim 이/lee 박/park 최/choi 정/jung 강/kang"),
    ];
}
